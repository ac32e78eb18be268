"""Certificates and keys of a kubeconfig: in files, or in the kubeconfig itself."""

import base64
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from localcluster import certificates
from workflowexecution.kube.load_access import load_access

SERVER = "https://10.9.8.7:6443"
Write = Callable[..., None]


@pytest.fixture(autouse=True)
def _outside_of_any_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBERNETES_SERVICE_HOST", "KUBECONFIG", "POD_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> certificates.KeyFiles:
    return certificates.write(tmp_path_factory.mktemp("pki") / "pki", ["localhost"], ["127.0.0.1"])


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a kubeconfig of one user, and make it the current one."""

    def write(user: dict[str, object], **cluster: object) -> None:
        path = tmp_path / "kubeconfig"
        content = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": SERVER, **cluster}}],
            "users": [{"name": "u", "user": user}],
        }
        path.write_text(yaml.safe_dump(content))
        monkeypatch.setenv("KUBECONFIG", str(path))

    return write


def test_certificates_may_stand_in_the_kubeconfig(
    kubeconfig: Write, files: certificates.KeyFiles
) -> None:
    """Data wins over a file, and a certificate and its key may be given in different ways."""
    kubeconfig(
        {"client-certificate-data": _data(files.server_certificate), "client-key": "key.pem"}
        | {"client-key-data": _data(files.server_key)},
        **{
            "certificate-authority-data": _data(files.authority, "# Behörde\n"),
            "certificate-authority": "/nowhere",
            "tls-server-name": "localhost",
        },
    )
    found = load_access()
    assert isinstance(found.ssl_context, ssl.SSLContext)
    assert len(found.ssl_context.get_ca_certs()) == 1
    assert found.tls_server_name == "localhost"
    kubeconfig(
        {"client-certificate-data": _data(files.server_certificate)}
        | {"client-key": str(files.server_key)}
    )
    load_access()


def _data(file: Path, before: str = "") -> str:
    return base64.b64encode(before.encode() + file.read_bytes()).decode()


@pytest.mark.parametrize(
    ("user", "cluster", "told"),
    [
        ({}, {"server": ""}, r"clusters\[c\].cluster.server: is missing; name"),
        (
            {},
            {"certificate-authority": "/nowhere"},
            r"clusters\[c\].cluster.certificate-authority: .*'/nowhere'",
        ),
        (
            {"client-certificate": "/nowhere"},
            {},
            r"users\[u\].user.client-certificate: .*'/nowhere'",
        ),
        (
            {"client-key-data": "a"},
            {},
            r"users\[u\].user.client-key-data: is not base64; encode the PEM again",
        ),
        ({"client-certificate-data": "YQ==", "client-key-data": "YQ=="}, {}, "PEM"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_field(
    kubeconfig: Write, user: dict[str, object], cluster: dict[str, object], told: str
) -> None:
    kubeconfig(user, **cluster)
    with pytest.raises(ValueError, match=f"no usable kubeconfig: .*{told}"):
        load_access()
