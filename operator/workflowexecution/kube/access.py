"""How the API server is reached: from a kubeconfig, or in a cluster by ServiceAccount."""

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import yaml
from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

from workflowexecution import __version__

_ACCOUNT_DIR: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_Stamp = tuple[int, int, int]
_USER_AGENT: Final = f"workflowexecution-operator/{__version__}"


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API server is and how requests prove who sends them.

    authorization: gives the header's value anew for each request; tokens are rotated on disk.
    refresh_trust: has the context trust whom its file names now; called before each request.
    proxy: URL of the proxy to go through, with its password if it wants one; None for none.
    tls_server_name: the name in the server's certificate, None where it is that in the URL.
    """

    server: str
    ssl_context: ssl.SSLContext | bool
    authorization: Callable[[], str | None]
    proxy: str | None = field(default=None, repr=False)
    tls_server_name: str | None = None
    refresh_trust: Callable[[], None] = lambda: None

    def open_session(self, *, connections: int) -> aiohttp.ClientSession:
        """Open a session of at most this many connections, in the running event loop.

        Raises: ValueError where the proxy's URL is none.
        """
        proxy, proxy_authorization = _split_proxy(self.proxy or "")

        async def prepare(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            if value := self.authorization():
                request.headers["Authorization"] = value
            self.refresh_trust()
            if proxy_authorization:
                _authorize_at_proxy(request, proxy_authorization)
            request.server_hostname = self.tls_server_name
            try:
                return await handler(request)
            except AssertionError as error:
                # aiohttp asserts that a connection from its pool is still open when it is used.
                lost = "the connection was lost before the request was sent"
                raise aiohttp.ClientConnectionError(lost) from error

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ssl=self.ssl_context),
            headers={"User-Agent": _USER_AGENT},
            middlewares=(prepare,),
            proxy=proxy,
        )


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
    trust = _Trust(_ACCOUNT_DIR / "ca.crt")
    return Access(
        server=server,
        ssl_context=trust.context,
        authorization=_Token(_ACCOUNT_DIR / "token").header,
        proxy=_proxy_of_environment(server),
        refresh_trust=trust.refresh,
    )


class _Token:
    """A token in a file, which is read again as soon as kubelet has replaced it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: _Stamp | None = None
        self._header = ""

    def header(self) -> str:
        """The value of the header; OSError where there is no token."""
        stamp = _stamp(self._file)
        if stamp != self._seen:
            self._header = f"Bearer {self._file.read_text().strip()}"
            self._seen = stamp
        return self._header


class _Trust:
    """A context that trusts whom a file names, also after kubelet has replaced it.

    Whom the file named before stays trusted until the process ends.
    """

    def __init__(self, authority: Path) -> None:
        self._authority = authority
        self._seen = _stamp(authority)
        self.context = _ssl_context(authority)

    def refresh(self) -> None:
        """Read the file where it has changed; one that cannot be read is read again later."""
        with suppress(OSError):
            stamp = _stamp(self._authority)
            if stamp != self._seen:
                self.context.load_verify_locations(self._authority)
                self._seen = stamp


def _stamp(file: Path) -> _Stamp:
    """What is different once a file has been replaced or written anew."""
    state = os.stat(file)
    return state.st_ino, state.st_mtime_ns, state.st_size


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
        ssl_context=_ssl_context(config.ssl_ca_cert, config.cert_file, config.key_file)
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


def _split_proxy(url: str) -> tuple[str | None, str | None]:
    """A proxy's address and its Proxy-Authorization, each None where there is none.

    Apart, because errors name the address.
    """
    if not url:
        return None, None
    try:
        parsed = URL(url if "://" in url else f"http://{url}")
        address, user = str(parsed.with_user(None)), parsed.user
        basic = aiohttp.encode_basic_auth(user, parsed.password or "") if user else None
    except ValueError:
        # It is not quoted: the password may be part of what is wrong with it.
        fix = "write it like http://proxy.example:3128"
        raise ValueError(f"the URL of the proxy cannot be read; {fix}") from None
    return address, basic


def _authorize_at_proxy(request: aiohttp.ClientRequest, value: str) -> None:
    """Tell the proxy alone; within a tunnel, a header of the request is for the API server."""
    told = {hdrs.PROXY_AUTHORIZATION: value}
    if request.is_ssl():
        request.proxy_headers = CIMultiDict(told)
    else:
        request.headers.update(told)


def _ssl_context(
    authority: Path | str | None, certificate: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority)
    # Strict by default from Python 3.13 on, and then refuses every cluster whose authority has no
    # key identifiers, as that of many managed clusters. The certificate itself is verified.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if certificate:
        context.load_cert_chain(certificate, key)
    return context
