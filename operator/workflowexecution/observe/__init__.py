"""What people and machines see of the operator: Events, metrics, probes, logs."""
