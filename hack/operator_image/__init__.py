"""The operator's image, assembled without a builder: Debian packages, locked wheels, the operator.

It is what `operator/Dockerfile` describes, for machines that have no builder.
"""
