"""Identity and rights of a visitor: from the API server, or every user of this machine."""

import asyncio
import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from workflowexecution.api import identity, reading
from workflowexecution.core.facts.run import Run
from workflowexecution.kube.client import ApiClient
from workflowexecution.page.limits import ShortCache

TOKENS: Final = "/apis/authentication.k8s.io/v1/tokenreviews"
ACCESS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
# A revoked token, and a right that was taken away, are still accepted for so long.
_VISITOR_S: Final = 10.0
_RIGHT_S: Final = 30.0
_VISITORS, _RIGHTS, _AT_ONCE = 256, 4096, 8
# By RFC 6750; the length is limited by that of a header.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,7000}=*")
# Each namespace takes one request to the API server, from time to time.
MOST_NAMESPACES: Final = 200
_RUNS: Final = ("tekton.dev", "pipelineruns")
_TASKS: Final = ("tekton.dev", "taskruns")


class Right(NamedTuple):
    """A verb on all objects of a resource; in all namespaces where `namespace` is empty."""

    verb: str
    group: str
    resource: str
    namespace: str


def to_list_executions(namespace: str) -> Right:
    """The right that decides whether a namespace is shown."""
    return Right("list", identity.GROUP, identity.PLURAL, namespace)


@dataclass(frozen=True, slots=True)
class Visitor:
    """The user of a request, as the API server knows them; without a name on loopback."""

    name: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Gate(Protocol):
    """Checks identity and rights of visitors; methods raise ApiError without an answer.

    audience: the audience of accepted tokens; empty for that of the API server.
    """

    is_for_loopback: bool
    audience: str

    async def visitor_of(self, token: str) -> Visitor | None:
        """The user that a token belongs to; None where the token is not valid."""
        ...

    async def may(self, visitor: Visitor, right: Right) -> bool:
        """Whether a visitor has a right."""
        ...


class LoopbackGate:
    """A gate for loopback: each user of this machine may see everything."""

    is_for_loopback = True
    audience = ""

    async def visitor_of(self, token: str) -> Visitor | None:
        """See Gate."""
        return Visitor()

    async def may(self, visitor: Visitor, right: Right) -> bool:
        """See Gate."""
        return True


class ClusterGate:
    """A gate for users of the API server, each with their own rights.

    With an audience, only tokens for that audience are accepted; they are useless elsewhere.
    """

    is_for_loopback = False

    def __init__(self, client: ApiClient, audience: str = "") -> None:
        self._client = client
        self.audience = audience
        self._visitors = ShortCache[bytes, Visitor | None](size=_VISITORS, seconds=_VISITOR_S)
        self._rights = ShortCache[tuple[Visitor, Right], bool](size=_RIGHTS, seconds=_RIGHT_S)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def visitor_of(self, token: str) -> Visitor | None:
        """See Gate."""
        if not _TOKEN.fullmatch(token):
            return None
        # Tokens are not kept: a dump of this memory must not reveal them.
        key = hashlib.sha256(token.encode()).digest()
        return await self._visitors.get(key, lambda: self._review(token))

    async def may(self, visitor: Visitor, right: Right) -> bool:
        """See Gate."""
        return await self._rights.get((visitor, right), lambda: self._ask(visitor, right))

    async def _review(self, token: str) -> Visitor | None:
        wanted = [self.audience] if self.audience else []
        spec = {"token": token} | ({"audiences": wanted} if wanted else {})
        status = await self._post(TOKENS, "TokenReview", spec)
        # An authenticator that does not support audiences answers without them.
        is_meant = set(wanted) <= set(_texts(status.get("audiences")))
        if status.get("authenticated") is not True or not is_meant:
            return None
        user = reading.mapping(status, "user")
        extra = reading.mapping(user, "extra")
        return Visitor(
            name=reading.text(user, "username"),
            uid=reading.text(user, "uid"),
            groups=_texts(user.get("groups")),
            extra=tuple((key, _texts(extra[key])) for key in sorted(extra)),
        )

    async def _ask(self, visitor: Visitor, right: Right) -> bool:
        spec = {
            "user": visitor.name,
            "uid": visitor.uid,
            "groups": list(visitor.groups),
            "extra": {key: list(values) for key, values in visitor.extra},
            "resourceAttributes": right._asdict(),
        }
        status = await self._post(ACCESS, "SubjectAccessReview", spec)
        return status.get("allowed") is True

    async def _post(self, path: str, kind: str, spec: dict[str, Any]) -> reading.Raw:
        api_version = path.removeprefix("/apis/").rpartition("/")[0]
        body = {"apiVersion": api_version, "kind": kind, "spec": spec}
        async with self._turn:
            return reading.mapping(await self._client.request("POST", path, body=body), "status")


def _texts(found: Any) -> tuple[str, ...]:
    given: Iterable[Any] = found if isinstance(found, list) else ()
    return tuple(item for item in given if isinstance(item, str))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The namespaces whose executions a visitor may list.

    has_all: whether it is all namespaces, also those that are still empty.
    sees_runs, sees_tasks: whether the visitor may list PipelineRuns and TaskRuns.
    is_cut: whether some namespaces were not checked, because there are too many.
    """

    has_all: bool = False
    namespaces: frozenset[str] = frozenset()
    sees_runs: bool = False
    sees_tasks: bool = False
    is_cut: bool = False

    @property
    def is_blind(self) -> bool:
        """Whether the visitor may see nothing at all."""
        return not (self.has_all or self.namespaces)

    def sees(self, namespace: str) -> bool:
        """Whether executions of a namespace are shown."""
        return self.has_all or namespace in self.namespaces

    def sees_run(self, run: Run) -> bool:
        """Whether a run may be shown; one without an execution takes the right to list runs."""
        return self.sees(run.owner.namespace) if run.owner else self.sees_runs

    def only(self, namespace: str) -> "Sight":
        """The same, limited to one namespace."""
        names = frozenset({namespace} if self.sees(namespace) else ())
        return Sight(namespaces=names, sees_tasks=self.sees_tasks)


async def sight_of(
    gate: Gate, visitor: Visitor, candidates: Collection[str], run_namespace: str
) -> Sight:
    """Find out what a visitor may see.

    Args:
        gate: checks the rights.
        visitor: the user whose rights are checked.
        candidates: namespaces with objects that could be shown.
        run_namespace: the namespace of the runs.

    Raises: ApiError where the API server gives no answer.
    """
    some = sorted(candidates)[:MOST_NAMESPACES]
    has_all, sees_runs, sees_tasks = await asyncio.gather(
        gate.may(visitor, to_list_executions("")),
        gate.may(visitor, Right("list", *_RUNS, run_namespace)),
        gate.may(visitor, Right("list", *_TASKS, run_namespace)),
    )
    asked = () if has_all else some
    answers = await asyncio.gather(*(gate.may(visitor, to_list_executions(name)) for name in asked))
    return Sight(
        has_all=has_all,
        namespaces=frozenset(name for name, may in zip(asked, answers, strict=True) if may),
        sees_runs=sees_runs,
        sees_tasks=sees_tasks,
        is_cut=not has_all and len(some) < len(candidates),
    )
