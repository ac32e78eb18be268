"""The benchmarks measure speed and size of the operator from outside, beside what is possible.

Every workload is played against a real API server by a process of its own that also plays Tekton.
In the same minute, with no operator running, the same machine shows its floor: the same requests
from a bare client, or the same reactions from a bare watcher.
"""
