"""Finds the cluster to use: that of a kubeconfig, else the one this pod runs in.

The proxy that the environment names is looked up once, by the rules of kubectl: the HTTP client
would look it up for each request, in threads, and read the user's ``.netrc`` as well.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from workflowexecution.kube.access import Access
from workflowexecution.kube.credentials import (
    Authorization,
    CredentialError,
    Token,
    Trust,
    trust_in,
    trust_in_anybody,
)
from workflowexecution.kube.impersonation import impersonation_of
from workflowexecution.kube.kubeconfig import Asked, Kubeconfig, read_kubeconfig, supported_proxy
from workflowexecution.kube.login import authorization_of

_ACCOUNT_DIR: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PROXY_VARIABLES: Final = {"https": "HTTPS_PROXY", "http": "HTTP_PROXY"}
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
NOTHING_ASKED: Final = Asked()


def load_access(asked: Asked = NOTHING_ASKED) -> Access:
    """Find the cluster that kubectl would find: that of a kubeconfig, else this pod's.

    Without a file that is asked for, those of KUBECONFIG are read, else ~/.kube/config.

    Raises: OSError or ValueError saying what is missing; CredentialError where that is what proves
        who asks.
    """
    found = _found(asked)
    if found is not None:
        return _access_of_kubeconfig(found)
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    access = _access_of_pod(host, os.environ.get("KUBERNETES_SERVICE_PORT", "443"))
    return replace(access, impersonation=impersonation_of(asked.impersonated, "impersonation"))


def load_namespace(asked: Asked = NOTHING_ASKED) -> str:
    """Find the namespace that is meant where none is named; errors as above.

    As kubectl does it, a context without one means that of the pod, in a pod.
    """
    found = _found(asked)
    named = found.namespace if found else ""
    return named or (_namespace_of_pod() if _is_in_pod() else "default")


def _found(asked: Asked) -> Kubeconfig | None:
    """The content of the kubeconfig; None in a pod without one."""
    with _usable_kubeconfig():
        found = read_kubeconfig(asked)
        if found is None and not _is_in_pod():
            looked = os.environ.get("KUBECONFIG") or "~/.kube/config"
            raise ValueError(f"{looked} is not there, or says nothing")
        return found


def _is_in_pod() -> bool:
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (_ACCOUNT_DIR / "token").exists()


def _namespace_of_pod() -> str:
    named = os.environ.get("POD_NAMESPACE", "")
    return named or (_ACCOUNT_DIR / "namespace").read_text().strip()


@contextmanager
def _usable_kubeconfig() -> Iterator[None]:
    """Say of a kubeconfig that cannot be used what is wrong with it."""
    try:
        yield
    except (ValueError, OSError, yaml.YAMLError) as error:
        raise ValueError(f"no usable kubeconfig: {error}; set KUBECONFIG to one") from error


def _access_of_pod(host: str, port: str) -> Access:
    address = f"[{host}]" if ":" in host else host
    server = f"https://{address}:{port}"
    trust = Trust(_ACCOUNT_DIR / "ca.crt")
    return Access(
        server=server,
        ssl_context=trust.context,
        authorization=Token(_ACCOUNT_DIR / "token").header,
        proxy=proxy_of_environment(server),
        refresh_trust=trust.refresh,
    )


def _access_of_kubeconfig(found: Kubeconfig) -> Access:
    """Leave all but how to prove who asks to the official client.

    Imported here, not above: it costs 20 MB, and in a pod it is not needed.
    """
    import kubernetes.client
    import kubernetes.config

    # What the environment says is read below: the client would not heed its exceptions.
    config = kubernetes.client.Configuration(proxy="")
    with _usable_kubeconfig():
        found.check_cluster()
        proxy, impersonation = found.proxy, impersonation_of(found.user, found.where)
        # It writes keys into files, and deletes them only where the process ends in peace.
        with TemporaryDirectory(prefix="wfe-") as folder:
            try:
                kubernetes.config.load_kube_config_from_dict(
                    _without_login(found), client_configuration=config, temp_file_path=folder
                )
            except kubernetes.config.ConfigException as error:
                raise ValueError(str(error)) from error
            pair = (config.cert_file, config.key_file)
            verifies = config.verify_ssl
            context = trust_in(config.ssl_ca_cert, *pair) if verifies else trust_in_anybody(*pair)
        server = config.host.rstrip("/")
        proxy = proxy or proxy_of_environment(server)
    return Access(
        server=server,
        ssl_context=context,
        authorization=_of_provider(found)
        if "auth-provider" in found.user
        else authorization_of(found, context),
        proxy=proxy,
        tls_server_name=config.tls_server_name or None,
        impersonation=impersonation,
    )


def _without_login(found: Kubeconfig) -> dict[str, Any]:
    """A kubeconfig of this context, without what the official client would fail at in silence."""
    user = {key: value for key, value in found.user.items() if key.startswith("client-")}
    return {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": dict(found.cluster)}],
        "users": [{"name": "it", "user": user}],
    }


def _of_provider(found: Kubeconfig) -> Authorization:
    """The token that the official client gets, and keeps fresh, from an ``auth-provider``."""
    import kubernetes.client
    import kubernetes.config

    config = kubernetes.client.Configuration()
    files = os.pathsep.join(map(str, found.files))
    where = f"users[{found.user_name}].user.auth-provider"
    fix = "log in again, or use a credential plugin (exec), as kubectl does"

    def authorization() -> str:
        token = config.get_api_key_with_prefix("BearerToken")
        if not token:
            raise CredentialError(f"{where}: gives no token; {fix}")
        return str(token)

    try:
        kubernetes.config.load_kube_config(files, found.context, config)
    except Exception as error:
        # Errors of its libraries are of any kind, and quote what the kubeconfig holds.
        raise CredentialError(f"{where}: failed with {type(error).__name__}; {fix}") from None
    authorization()
    return authorization


def proxy_of_environment(server: str) -> str | None:
    """The URL of the proxy for a server's URL; None where it is reached without one.

    Raises: ValueError where such a proxy is not supported.
    """
    url = urlsplit(server)
    variable = _PROXY_VARIABLES.get(url.scheme, "")
    proxy, host = _told_by(variable), url.hostname or ""
    port = url.port or _DEFAULT_PORTS.get(url.scheme)
    if not proxy or _is_loopback(host) or _is_left_out(host, port):
        return None
    return supported_proxy(proxy, variable)


def _told_by(variable: str) -> str:
    return os.environ.get(variable) or os.environ.get(variable.lower()) or ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_left_out(host: str, port: int | None) -> bool:
    """Whether NO_PROXY names the host, a domain or a network that it is in, or everything."""
    entries = [entry.strip().lower() for entry in _told_by("NO_PROXY").split(",")]
    return any(entry == "*" or _covers(entry, host, port) for entry in entries if entry)


def _covers(entry: str, host: str, port: int | None) -> bool:
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    name, mark, wanted = entry.rpartition(":")
    if mark and wanted.isdecimal():
        return int(wanted) == port and _covers(name, host, None)
    domain = entry.removeprefix("*")
    return host == domain or host.endswith(domain if domain.startswith(".") else f".{domain}")
