"""A small orchestrator that uses the kit and nothing else of the project: `python -m`.

Its decisions are all in `workflowexecution.orchestrator`; what is here is how to talk to the API
server: create exactly once, watch with a deadline.
"""
