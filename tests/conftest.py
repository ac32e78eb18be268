"""Fixtures for all levels: clusters, and the worlds that integration tests take place in."""

pytest_plugins = ["localcluster.pytest_plugin", "harness.plugin", "harness.node"]
