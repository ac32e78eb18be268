"""The operator's cache of the cluster: executions, runs, targets, and state between passes."""
