"""The operator's image, assembled without a builder: Debian packages, locked wheels, the operator.

`operator/Dockerfile` has these same programs make the files of its image.
"""
