"""Requests to the cluster: where objects are, one method a request, what is left of a run."""
