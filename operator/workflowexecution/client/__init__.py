"""Requests to the cluster: paths of objects, one method for each request, reads of leftovers."""
