"""The data that people see, as values: pure functions of facts and a time.

`kubectl wfe` prints the values, and the status page renders them.
"""
