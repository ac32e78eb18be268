"""The contract: models of WorkflowExecution v1alpha1 and the CRD generated from them."""
