"""What ``doctor`` looks at, one topic a module: a check reads the cluster and returns findings."""
