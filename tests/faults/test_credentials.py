"""Credentials change under a running operator, as they do in every pod: it goes on working."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import pytest

from faults import stories
from faults.outages import ALWAYS
from harness import faults, rights
from harness.account_files import AccountFiles
from harness.faults import Fault
from harness.process import OperatorProcess
from harness.proxy import Proxy
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster, certificates, sandbox
from localcluster.certificates import KeyFiles
from reliability import is_long, long_only
from reliability.tally import Tally

SCENARIO = "credentials"
TIMES = 20 if is_long() else 1
REFUSED_S = 30.0 if is_long() else 6.0
# A request that failed is repeated after ten seconds at most.
AGAIN_S = 30.0
# In vain, while a token is refused.
REQUESTS_PER_S = 5

pytestmark = pytest.mark.skipif(
    bool(sandbox.why_impossible()), reason=sandbox.why_impossible() or "possible"
)


@dataclass(frozen=True, slots=True)
class Pod:
    """An operator in a pod, the files it is given, and the server it finds there."""

    world: World
    operator: OperatorProcess
    account: AccountFiles
    proxy: Proxy
    keys: KeyFiles


def new_keys(world: World, name: str) -> KeyFiles:
    """An authority that nobody knows, and a certificate it has signed."""
    return certificates.write(world.folder / name, ["localhost"], ["127.0.0.1"])


@contextmanager
def pod_in(world: World) -> Iterator[Pod]:
    """A pod in a world; its operator has not been restarted in the end, and stops well."""
    keys = new_keys(world, "first")
    account = AccountFiles(
        world.folder / "account",
        rights.token_of_operator(world.cluster),
        keys.authority.read_bytes(),
    )
    with ExitStack() as stack:
        proxy = stack.enter_context(closing(Proxy(world.cluster, keys)))
        operator = world.new_operator_in_pod(account, proxy.port)
        operator.start()
        yield Pod(world, operator, account, proxy, keys)
        operator.stop()


@pytest.fixture
def pod(bare_cluster: Cluster) -> Iterator[Pod]:
    with open_world(bare_cluster, started=False, trouble=True) as world, pod_in(world) as opened:
        yield opened


def is_ready(pod: Pod) -> None:
    assert pod.operator.ask("/readyz") == (200, "ok")


def works(pod: Pod, tally: Tally) -> None:
    """Ready soon, and a whole life is lived."""
    eventually(lambda: is_ready(pod), AGAIN_S, dump=pod.operator.log_tail)
    stories.life(pod.world, stories.target())
    tally.add(executions=1)


def only(pod: Pod, token: str) -> None:
    """Have the server refuse every token but this one, on watches that are open, too."""
    pod.proxy.faults.clear()
    act = faults.answer(401, "Unauthorized")
    matches = faults.without_token(token)
    pod.proxy.inject(Fault(matches=matches, when="before", act=act, times=ALWAYS))
    pod.proxy.cut_watches()


def test_a_token_that_is_rotated(pod: Pod, tally: Tally) -> None:
    """The file is replaced before the old token is refused: nothing is refused at all."""
    for _ in range(TIMES):
        token = rights.token_of_operator(pod.world.cluster)
        before = pod.proxy.mark()
        pod.account.replace(token, pod.keys.authority.read_bytes())
        only(pod, token)
        works(pod, tally)
        assert 401 not in [one.status for one in pod.proxy.since(before)]


@long_only
def test_a_token_that_is_refused_before_there_is_another(pod: Pod, tally: Tally) -> None:
    for _ in range(TIMES // 2):
        token = rights.token_of_operator(pod.world.cluster)
        only(pod, token)
        before = pod.proxy.mark()
        holds_for(lambda: None, REFUSED_S)
        assert pod.proxy.mark() - before <= REQUESTS_PER_S * REFUSED_S
        pod.account.replace(token, pod.keys.authority.read_bytes())
        works(pod, tally)


def test_an_authority_that_changes(pod: Pod, tally: Tally) -> None:
    """The new one is in the file before the server shows what it has signed."""
    for number in range(TIMES):
        keys = new_keys(pod.world, f"next-{number}")
        token = rights.token_of_operator(pod.world.cluster)
        pod.account.replace(token, keys.authority.read_bytes())
        pod.proxy.refuse_connections()
        pod.proxy.listen(keys)
        works(pod, tally)


@long_only
def test_an_authority_that_changes_too_late(pod: Pod, tally: Tally) -> None:
    """The server is not trusted for a while; nothing is sent to it."""
    keys = new_keys(pod.world, "next")
    pod.proxy.refuse_connections()
    pod.proxy.listen(keys)
    before = pod.proxy.mark()
    holds_for(lambda: None, REFUSED_S)
    assert pod.proxy.mark() == before
    pod.account.replace(rights.token_of_operator(pod.world.cluster), keys.authority.read_bytes())
    works(pod, tally)


@long_only
def test_an_authority_that_is_unreadable_for_a_while(pod: Pod, tally: Tally) -> None:
    """Authorities that were trusted before stay trusted."""
    token = rights.token_of_operator(pod.world.cluster)
    pod.account.replace(token, b"no certificate")
    pod.proxy.refuse_connections()
    pod.proxy.listen()
    works(pod, tally)
    keys = new_keys(pod.world, "next")
    pod.account.replace(token, keys.authority.read_bytes())
    pod.proxy.refuse_connections()
    pod.proxy.listen(keys)
    works(pod, tally)
