"""What people are shown, as values: pure functions of facts and a moment.

`kubectl wfe` prints them, the status page renders them.
"""
