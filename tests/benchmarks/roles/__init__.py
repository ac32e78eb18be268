"""The processes beside the operator: each is told what to do in one line, and tells in lines."""
