"""``kubectl wfe``: what people look at, ask and stop; it never runs the operator.

Reads the cluster with the rights of whoever asks (`requests`, `gather`), turns facts into values by
pure functions (`views`), and prints those (`rendering`). Commands join the three.
"""
