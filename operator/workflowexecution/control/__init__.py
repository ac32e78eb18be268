"""The moving part: watches, ledger, queue, reconciler and access to the cluster."""
