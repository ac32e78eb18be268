"""The data that people see, as values: pure functions of facts and a time.

`kubectl wfe` prints them, the status page renders them.
"""
