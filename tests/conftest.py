"""Fixtures for all levels: clusters, and the worlds that integration tests take place in."""

from hypothesis import HealthCheck, settings

# How fast a busy machine makes up its inputs says nothing about what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

pytest_plugins = ["localcluster.pytest_plugin", "harness.plugin", "harness.node"]
