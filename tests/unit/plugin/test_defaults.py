"""Defaults of the plugin that are those of the operator."""

from workflowexecution.api.duration import parse_duration
from workflowexecution.plugin import parameters
from workflowexecution.settings import Settings


def test_the_defaults_of_the_plugin_are_those_of_the_settings() -> None:
    fields = Settings.model_fields
    assert parse_duration(parameters.DEFAULT_COOLDOWN) == fields["cooldown"].default
    assert parameters._ANY_ACCOUNT.finally_timeout == fields["finally_timeout"].default
