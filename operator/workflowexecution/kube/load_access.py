"""Which cluster is meant: this pod's own, or that of a kubeconfig."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml

from workflowexecution.kube.access import Access
from workflowexecution.kube.account_files import Token, Trust
from workflowexecution.kube.trust import trust_in

_ACCOUNT_DIR: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def load_access(kubeconfig: str | None = None, context: str | None = None) -> Access:
    """Find the cluster: this pod's, else that of the current kubeconfig.

    Args:
        kubeconfig: path of a file to read instead; None for the current one.
        context: name of the context to use; None for the current one.
    Raises: FileNotFoundError or ValueError saying what is missing.
    """
    if _is_in_pod() and not (kubeconfig or context):
        host = os.environ["KUBERNETES_SERVICE_HOST"]
        return _access_of_pod(host, os.environ.get("KUBERNETES_SERVICE_PORT", "443"))
    return _access_of_kubeconfig(kubeconfig, context)


def load_namespace(kubeconfig: str | None = None, context: str | None = None) -> str:
    """Find the namespace that is meant where none is named; arguments and errors as above."""
    if _is_in_pod() and not (kubeconfig or context):
        return (_ACCOUNT_DIR / "namespace").read_text().strip()
    import kubernetes.config

    with _usable_kubeconfig():
        contexts, current = kubernetes.config.list_kube_config_contexts(kubeconfig)
    chosen = next((item for item in contexts if item["name"] == context), current)
    return str(chosen["context"].get("namespace") or "default")


def _is_in_pod() -> bool:
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (_ACCOUNT_DIR / "token").exists()


@contextmanager
def _usable_kubeconfig() -> Iterator[None]:
    """Say of a kubeconfig that cannot be used what is wrong with it."""
    import kubernetes.config

    try:
        yield
    except (kubernetes.config.ConfigException, yaml.YAMLError) as error:
        raise ValueError(f"no usable kubeconfig: {error}; set KUBECONFIG to one") from error


def _access_of_pod(host: str, port: str) -> Access:
    address = f"[{host}]" if ":" in host else host
    server = f"https://{address}:{port}"
    trust = Trust(_ACCOUNT_DIR / "ca.crt")
    return Access(
        server=server,
        ssl_context=trust.context,
        authorization=Token(_ACCOUNT_DIR / "token").header,
        proxy=_proxy_of_environment(server),
        refresh_trust=trust.refresh,
    )


def _access_of_kubeconfig(kubeconfig: str | None, context: str | None) -> Access:
    """Leave kubeconfigs, with their plugins and token refresh, to the official client.

    Imported here, not above: it costs 20 MB, and in a pod it is not needed.
    """
    import kubernetes.client
    import kubernetes.config

    # What the environment says is read below: the client would not heed its exceptions.
    config = kubernetes.client.Configuration(proxy="")
    with _usable_kubeconfig():
        kubernetes.config.load_kube_config(kubeconfig, context, client_configuration=config)
    server = config.host.rstrip("/")
    return Access(
        server=server,
        ssl_context=trust_in(config.ssl_ca_cert, config.cert_file, config.key_file)
        if config.verify_ssl
        else False,
        authorization=lambda: (
            config.get_api_key_with_prefix("BearerToken")
            or config.get_api_key_with_prefix("authorization")
        ),
        proxy=config.proxy or _proxy_of_environment(server),
        tls_server_name=config.tls_server_name or None,
    )


def _proxy_of_environment(server: str) -> str | None:
    """The proxy that the environment names for this server.

    Looked up here, once: the HTTP client would do it for each request, in threads, and read the
    user's ``.netrc`` as well.
    """
    url = urlsplit(server)
    if proxy_bypass(url.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(url.scheme) or proxies.get("all")
