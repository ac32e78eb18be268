"""Everything that talks to a cluster and knows nothing of executions."""
