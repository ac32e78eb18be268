"""Chooses one of a kubeconfig's ways to log in, by the rules of kubectl."""

import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from workflowexecution.api import reading
from workflowexecution.kube.credential_plugin import Credential, CredentialPlugin
from workflowexecution.kube.credentials import (
    Authorization,
    CredentialError,
    Token,
    basic,
    bearer,
    prove_by,
)
from workflowexecution.kube.kubeconfig import Kubeconfig

_CERTIFICATES: Final = ("client-certificate", "client-certificate-data")


def authorization_of(found: Kubeconfig, context: ssl.SSLContext) -> Authorization:
    """Return what gives the header of each request; a plugin logs in at once, into `context`.

    Raises: CredentialError or OSError where what the user has cannot be used.
    """
    user, where = found.user, f"users[{found.user_name}].user"
    token = reading.text(user, "token")
    header = bearer(token, f"{where}.token") if token else None
    if file := reading.text(user, "tokenFile"):
        return _file_or(Token(Path(file)), header)
    name = reading.text(user, "username")
    if header is None and name:
        header = basic(name, reading.text(user, "password"))
    settings = reading.mapping(user, "exec")
    if header or not settings or any(user.get(key) for key in _CERTIFICATES):
        return lambda: header
    plugin = CredentialPlugin(settings, f"{where}.exec", found.user_folder, found.cluster)
    return PluginLogin(plugin, context).header


def _file_or(file: Token, header: str | None) -> Authorization:
    """The token in a file; as long as it cannot be read, the one beside it, if there is one."""
    if header is None:
        file.header()
        return file.header

    def authorization() -> str:
        with suppress(OSError, CredentialError):
            return file.header()
        return header

    return authorization


class PluginLogin:
    """Keeps the credential of a plugin, and runs the plugin again once it has expired."""

    def __init__(
        self,
        plugin: CredentialPlugin,
        context: ssl.SSLContext,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._plugin = plugin
        self._context = context
        self._now = now
        self._credential = self._log_in()

    def header(self) -> str | None:
        """The value of the header; None where a certificate proves it.

        Raises: CredentialError where the plugin fails.
        """
        if (expires := self._credential.expires) and expires <= self._now():
            self._credential = self._log_in()
        return self._credential.authorization

    def _log_in(self) -> Credential:
        credential = self._plugin.run()
        if credential.pair:
            try:
                prove_by(self._context, *credential.pair)
            except OSError as error:
                told = f"the certificate and key that it gave cannot be used: {error}"
                raise self._plugin.error(told) from error
        return credential
