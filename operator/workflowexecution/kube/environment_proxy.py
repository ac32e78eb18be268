"""The proxy that the environment names for a server, by the rules of kubectl.

Looked up once: the HTTP client would do it for each request, in threads, and read the user's
``.netrc`` as well.
"""

import os
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from workflowexecution.kube.kubeconfig import supported_proxy

_VARIABLES: Final = {"https": "HTTPS_PROXY", "http": "HTTP_PROXY"}
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def proxy_of_environment(server: str) -> str | None:
    """The URL of the proxy for a server's URL; None where it is reached without one.

    Raises: ValueError where such a proxy is not supported.
    """
    url = urlsplit(server)
    variable = _VARIABLES.get(url.scheme, "")
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
