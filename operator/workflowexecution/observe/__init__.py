"""The output of the operator for people and machines: Events, metrics, probes, logs."""
