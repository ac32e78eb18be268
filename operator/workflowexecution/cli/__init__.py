"""The command line ``wfe``: reads settings and runs a command."""
