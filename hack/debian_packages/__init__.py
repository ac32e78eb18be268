"""Packages of any Debian release, unpacked on a machine of another one; nothing is installed."""
