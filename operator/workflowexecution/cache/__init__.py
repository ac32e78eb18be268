"""What is known of the cluster: executions, runs, targets, and the state between two passes."""
