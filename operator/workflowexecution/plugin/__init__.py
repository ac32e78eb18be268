"""``kubectl wfe``: a kubectl plugin to inspect, explain and stop executions.

It reads the cluster with the rights of its user (`requests`, `gather`), turns facts into values by
pure functions (`views`), and prints the values (`rendering`). Commands join the three.
"""
