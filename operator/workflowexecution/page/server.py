"""The HTTP server of the status page: authenticates a request, checks rights, and answers it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from workflowexecution.api.status import Phase
from workflowexecution.core.policy import Rules
from workflowexecution.kube import errors
from workflowexecution.manager.view import OperatorView
from workflowexecution.page import http_security
from workflowexecution.page.gate import MOST_NAMESPACES, Gate, Sight, Visitor, sight_of
from workflowexecution.page.limits import Places, ShortMemo, Streams, TooManyError, follow
from workflowexecution.page.overview import (
    Known,
    fields_of,
    holds_for,
    number_of,
    overview_of,
    problem_of,
    wanted_by,
)
from workflowexecution.page.recent import Recent
from workflowexecution.page.rendering import STATIC, Answers, moved_to, path_of, static_files
from workflowexecution.page.sources import Sources, story_of
from workflowexecution.views.blockers import Cooldown, cooldowns_of, held_by

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Bounds on concurrent requests, and on concurrent checks of tokens; streams have their own.
_AT_ONCE: Final = 32
_OF_ONE: Final = 16
# Thousands of cooldowns take time to compute; all visitors share the result.
_COOLDOWNS_S: Final = 1.0
_LONGEST_FORM: Final = 16 * 1024
_NO_EXECUTION: Final = (
    "there is no such execution, or you may not list WorkflowExecutions in its namespace"
)


class Server:
    """Answers requests. ``look`` returns the newest executions, as far as they have been read."""

    def __init__(
        self,
        view: OperatorView,
        sources: Sources,
        gate: Gate,
        streams: Streams,
        look: Callable[[], Recent],
    ) -> None:
        self._view = view
        self._sources = sources
        self._gate = gate
        self._streams = streams
        self._look = look
        self._answers = Answers(view, is_for_loopback=gate.is_for_loopback, audience=gate.audience)
        self._static = static_files()
        # The first counts by visitor, the second by address, before the visitor is known.
        self._answering = Places(_AT_ONCE, _OF_ONE)
        self._asking = Places(_AT_ONCE, _OF_ONE)
        self._cooldowns = ShortMemo(_COOLDOWNS_S, self._read_cooldowns, view.clock.monotonic)

    def application(self) -> web.Application:
        """The aiohttp application with all routes."""
        app = web.Application(middlewares=[self._guard], client_max_size=_LONGEST_FORM)
        app.add_routes(
            [
                web.get("/", self._overview),
                web.get("/executions/{namespace}/{name}", self._story),
                web.get("/events", self._events),
                web.get("/static/{name}", self._file),
                web.get("/sign-in", self._show_sign_in),
                web.post("/sign-in", self._sign_in),
                web.post("/sign-out", self._sign_out),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse requests of other sites, and answer each error with a page."""
        if self._gate.is_for_loopback and not http_security.is_here(request):
            text = "open this page as http://localhost or http://127.0.0.1"
            return self._answers.problem(421, "Not by this name", text)
        if http_security.is_embedded_elsewhere(request):
            return self._answers.problem(403, "Refused", "open this page itself")
        try:
            if not await http_security.has_whole_body(request):
                return self._answers.too_slow()
            return await handler(request)
        except TooManyError:
            return self._answers.problem(503, "Too much at once", "try again in a moment")
        except web.HTTPException as error:
            # aiohttp raises these for an unknown path or method.
            return self._answers.problem(error.status, error.reason, "there is nothing here")
        except errors.NotFoundError:
            return self._answers.problem(404, "Not found", _NO_EXECUTION)
        except errors.ApiError as error:
            return self._answers.unanswered(error)

    async def _overview(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._visitor(request)
        if visitor is None:
            return self._answers.sign_in(401)
        with self._answering.take(visitor.name):
            return await self._overview_for(visitor, request)

    async def _overview_for(self, visitor: Visitor, request: web.Request) -> web.StreamResponse:
        asked = fields_of(request.query)
        if problem := problem_of(asked):
            return self._answers.problem(400, "Not a target", problem)
        recent, view = self._look(), self._view
        candidates = {asked["namespace"]} if asked["namespace"] else self._namespaces(recent)
        own = await self._sight(visitor, {*candidates, view.policy.template.namespace})
        sight = own.only(asked["namespace"]) if asked["namespace"] else own
        leftovers, problem = await self._leftovers()
        # Nothing is awaited from here on, so that all facts are of one moment.
        shown = {name for name in recent.namespaces() | candidates if sight.sees(name)}
        known = Known(
            active=view.store.executions(),
            runs=view.store.runs(),
            cooldowns=self._cooldowns.get(),
            recent=recent.executions(shown),
            leftovers=leftovers,
        )
        overview = overview_of(
            known, sight, wanted_by(asked), number_of(request.query), view.clock.now()
        )
        return self._answers.page(
            "overview.html",
            visitor,
            overview=overview,
            holds=holds_for(held_by(view.holds(), known.active, view.clock.now()), own),
            asked=asked,
            phases=list(Phase),
            namespaces=sorted(shown),
            sight=sight,
            most_namespaces=MOST_NAMESPACES,
            is_reading=not recent.is_complete,
            has_older=recent.has_older(shown),
            problem=problem,
        )

    async def _story(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._visitor(request)
        if visitor is None:
            return self._answers.sign_in(401)
        with self._answering.take(visitor.name):
            return await self._story_for(visitor, request)

    async def _story_for(self, visitor: Visitor, request: web.Request) -> web.StreamResponse:
        namespace, name = request.match_info["namespace"], request.match_info["name"]
        can_be = path_of(f"{namespace}/{name}") and self._view.policy.serves(namespace)
        sight = await self._sight(visitor, {namespace})
        if not can_be or not sight.sees(namespace):
            return self._answers.problem(404, "Not found", _NO_EXECUTION)
        self._look()
        account = await self._sources.account(namespace, name)
        where = self._view.policy.template.namespace
        return self._answers.page("story.html", visitor, story=story_of(account, sight, where))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Notify a visitor of changes, until they leave or lose their rights."""
        if not http_security.is_from_here(request):
            return self._answers.problem(403, "Refused", "open this page itself")
        visitor = await self._visitor(request)
        if visitor is None:
            return self._answers.problem(401, "Not signed in", "sign in first")
        if not await self._may_see_something(visitor, request):
            return self._answers.problem(403, "Nothing to see", "you may list no executions")
        with self._streams.open(visitor.name) as flag:
            return await follow(request, flag, lambda: self._is_let_in(request))

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in STATIC:
            raise web.HTTPNotFound
        return web.Response(
            body=self._static[name], content_type=STATIC[name], headers=http_security.HEADERS
        )

    async def _show_sign_in(self, request: web.Request) -> web.StreamResponse:
        if await self._visitor(request) is not None:
            return moved_to("/")
        return self._answers.sign_in(200)

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        if not http_security.is_from_here(request):
            return self._answers.problem(403, "Refused", "sign in on the page itself")
        token = await http_security.form_field(request, "token")
        if len(token) > http_security.LONGEST_COOKIE:
            return self._answers.sign_in(400, "this token is too long for a browser to keep")
        if not token or await self._bearer_of(token, request) is None:
            return self._answers.unknown_token()
        response = moved_to("/")
        http_security.keep_token(request, response, token)
        return response

    async def _sign_out(self, request: web.Request) -> web.StreamResponse:
        if not http_security.is_from_here(request):
            return self._answers.problem(403, "Refused", "sign out on the page itself")
        response = moved_to("/sign-in")
        http_security.drop_token(request, response)
        return response

    def _read_cooldowns(self) -> list[Cooldown]:
        view = self._view
        rules = Rules(view.policy.cooldown, view.policy.guards)
        return cooldowns_of(view.store, lambda _: rules, view.clock.now())

    async def _visitor(self, request: web.Request) -> Visitor | None:
        return await self._bearer_of(http_security.token_of(request), request)

    async def _bearer_of(self, token: str, request: web.Request) -> Visitor | None:
        with self._asking.take(request.remote or ""):
            return await self._gate.visitor_of(token)

    async def _is_let_in(self, request: web.Request) -> bool:
        """Whether the visitor of an open stream still has the rights for it."""
        visitor = await self._gate.visitor_of(http_security.token_of(request))
        return visitor is not None and await self._may_see_something(visitor, request)

    async def _may_see_something(self, visitor: Visitor, request: web.Request) -> bool:
        """Whether the visitor may list executions somewhere; true while the list is being read."""
        recent, asked = self._look(), request.query.get("namespace", "")
        where = self._view.policy.template.namespace
        candidates = {asked} if asked else {*self._namespaces(recent), where}
        return not (await self._sight(visitor, candidates)).is_blind or not recent.is_complete

    async def _sight(self, visitor: Visitor, candidates: set[str]) -> Sight:
        where = self._view.policy.template.namespace
        return await sight_of(self._gate, visitor, candidates, where)

    def _namespaces(self, recent: Recent) -> set[str]:
        """The namespaces with objects that could be shown."""
        store = self._view.store
        active = {item.namespace for item in store.executions()}
        held = {run.owner.namespace for run in store.runs() if run.owner}
        return recent.namespaces() | active | held | {end.namespace for end in store.targets.ends()}

    async def _leftovers(self) -> tuple[Any, str]:
        """The parts of runs that still execute, or the reason why they could not be read."""
        try:
            return await self._sources.leftovers(), ""
        except errors.ApiError as error:
            return {}, f"what executes now could not be read: {errors.text_for_logs(error)}"
