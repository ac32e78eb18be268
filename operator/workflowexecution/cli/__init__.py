"""The command line: flags and environment to settings, settings to a running program."""
