"""The harness of integration tests: a real operator process, a played Tekton, a faulty network.

`World` puts them together: namespaces of its own, the operator under its own ServiceAccount, and a
proxy between it and the API server that counts what is asked and can break what is answered.
"""
