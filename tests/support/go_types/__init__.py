"""Reads a status as orchestrators written in Go do: the API's December 2025 structs, as rules.

``structs`` holds the rules as data and ``decoder`` applies them; ``main.go`` has the same structs
for Go's own decoder, so that neither has to be believed alone.
"""
