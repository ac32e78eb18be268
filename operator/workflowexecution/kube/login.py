"""Logs in by the rules of kubectl: chooses a way of a kubeconfig, and runs its ``exec`` program."""

import json
import os
import shutil
import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.kube.credentials import (
    Authorization,
    CredentialError,
    Token,
    basic,
    bearer,
    prove_by,
)
from workflowexecution.kube.kubeconfig import Kubeconfig

# A person may have to log in in a browser first; without a person, a plugin should be fast.
_PATIENCE_S: Final = 60.0
_PATIENCE_WITH_A_PERSON_S: Final = 300.0
_QUOTED: Final = 1000
_CONFIG_EXTENSION: Final = "client.authentication.k8s.io/exec"
_PASSED_ON: Final = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
_CERTIFICATES: Final = ("client-certificate", "client-certificate-data")


@dataclass(frozen=True, slots=True)
class Credential:
    """The credential that a plugin returned.

    authorization: the header; None where there is a certificate alone.
    pair: certificate and key (PEM); None where there is a token alone.
    expires: aware; None where the plugin sets no time.
    """

    authorization: str | None = field(repr=False)
    pair: tuple[str, str] | None = field(repr=False)
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class CredentialPlugin:
    """A plugin as a kubeconfig has it.

    settings: the content of ``exec``.
    where: the path of that field, for errors.
    folder: of the kubeconfig, from which a command with a slash in it is found.
    cluster: the content of the cluster, its files with their whole paths, for plugins that want it.
    """

    settings: Raw
    where: str
    folder: Path
    cluster: Raw

    def run(self) -> Credential:
        """Have it log in. Raises: CredentialError saying what went wrong, and its installHint."""
        if not self._command:
            raise self.error("it has no command; name the program that logs in")
        written = self._output_of(self._can_ask())
        try:
            return self._read(json.loads(written))
        except CredentialError:
            raise
        except (ValueError, TypeError, AttributeError):
            # It is not quoted: it may hold half of a token.
            wanted = f"an ExecCredential of {self._version} with a token, or a certificate and key"
            raise self.error(f"what it wrote is not {wanted}") from None

    def error(self, problem: str) -> CredentialError:
        """The error for what went wrong, with the help that the kubeconfig gives."""
        hint = " ".join(reading.text(self.settings, "installHint").split())
        text = f"the {self._named} failed: {problem}"
        return CredentialError(f"{text}; {hint}" if hint else text)

    @property
    def _command(self) -> str:
        return reading.text(self.settings, "command")

    @property
    def _version(self) -> str:
        return reading.text(self.settings, "apiVersion")

    def _can_ask(self) -> bool:
        """Whether it may ask a person on this terminal."""
        mode = self.settings.get("interactiveMode")
        has_terminal = sys.stdin is not None and sys.stdin.isatty()
        if mode == "Always" and not has_terminal:
            raise self.error("it needs a terminal to ask you on, and there is none")
        return has_terminal and mode != "Never"

    def _output_of(self, can_ask: bool) -> bytes:
        # On a terminal it speaks for itself, as it may have to tell where to log in.
        is_heard = sys.stderr is not None and sys.stderr.isatty()
        patience = _PATIENCE_WITH_A_PERSON_S if is_heard else _PATIENCE_S
        try:
            # It is for the kubeconfig to say what is run.
            done = subprocess.run(  # noqa: S603
                [self._program(), *map(str, self.settings.get("args") or ())],
                env=self._environment(can_ask),
                stdin=None if can_ask else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if is_heard else subprocess.PIPE,
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            told = f"it did not end within {patience:.0f} s{_quoted(error.stderr)}"
            raise self.error(told) from None
        except (OSError, ValueError) as error:
            raise self.error(f"it cannot be started: {error}") from error
        if done.returncode:
            raise self.error(f"{_ending(done.returncode)}{_quoted(done.stderr)}")
        return done.stdout

    def _program(self) -> str:
        if os.sep in self._command:
            return str(self.folder / self._command)
        found = shutil.which(self._command)
        if found is None:
            raise self.error("it is not installed: no such program is on the PATH")
        return found

    def _environment(self, can_ask: bool) -> dict[str, str]:
        spec: dict[str, Any] = {"interactive": can_ask}
        if self.settings.get("provideClusterInfo"):
            spec["cluster"] = self._cluster_info()
        told = {"apiVersion": self._version, "kind": "ExecCredential", "spec": spec}
        own = {
            reading.text(item, "name"): str(item.get("value", ""))
            for item in reading.mappings(self.settings, "env")
        }
        return {**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(told)}

    def _cluster_info(self) -> dict[str, Any]:
        info = {key: self.cluster[key] for key in _PASSED_ON if key in self.cluster}
        if authority := self.cluster.get("certificate-authority-data"):
            info["certificate-authority-data"] = authority
        elif file := reading.text(self.cluster, "certificate-authority"):
            info["certificate-authority-data"] = b64encode(Path(file).read_bytes()).decode()
        for extension in reading.mappings(self.cluster, "extensions"):
            if extension.get("name") == _CONFIG_EXTENSION:
                info["config"] = extension.get("extension")
        return info

    def _read(self, answer: Any) -> Credential:
        """Take what is meant. Raises: ValueError, TypeError, AttributeError or CredentialError."""
        if answer.get("kind") != "ExecCredential" or answer.get("apiVersion") != self._version:
            raise ValueError("of another kind")
        status = answer.get("status")
        token = status.get("token")
        certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
        if bool(certificate) != bool(key) or not (token or certificate):
            raise ValueError("neither token nor certificate")
        expires = reading.moment(status, "expirationTimestamp")
        if status.get("expirationTimestamp") and not expires:
            raise ValueError("no time")
        return Credential(
            bearer(token, f"the answer of {self._named}") if token else None,
            (certificate, key) if certificate else None,
            expires,
        )

    @property
    def _named(self) -> str:
        return f"credential plugin {self._command or '?'} ({self.where})"


def _ending(status: int) -> str:
    return f"a signal ended it ({-status})" if status < 0 else f"it ended with status {status}"


def _quoted(written: bytes | None) -> str:
    """The end of its standard error, as one line."""
    text = " ".join((written or b"").decode(errors="replace").split())
    return f": {text[-_QUOTED:]}" if text else ""


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
