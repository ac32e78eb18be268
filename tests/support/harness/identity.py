"""The identity of a caller at the API server, as kubectl finds it and as our plugin does.

Run as a program with the plugin's flags, it prints who the plugin is.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_PLACE: Final = re.compile(r"/namespaces/([^/\"]+)/configmaps")
_REVIEW: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
# It differs from one token to the next, and is no part of who somebody is.
_CREDENTIAL: Final = "authentication.kubernetes.io/credential-id"


@dataclass(frozen=True, slots=True)
class Seen:
    """The user whom the API server sees, and the namespace that is meant; none after an error.

    told: the error, which two programs word in two ways.
    """

    who: dict[str, Any] | None
    namespace: str = ""
    told: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """The way in which both are started: with these flags and this environment, in this folder.

    prefix: a command that runs another one.
    """

    flags: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    prefix: Sequence[str] = ()

    def by_kubectl(self, kubectl: Path) -> Seen:
        """The answer of the real kubectl."""
        asked = self._run(str(kubectl), "auth", "whoami", "-o", "json")
        if asked.returncode:
            return Seen(None, told=asked.stderr)
        # The namespace that is meant is in the URL of any request for an object in one.
        place = self._run(str(kubectl), "get", "configmap", "no-such-thing", "-v=8")
        found = _PLACE.search(place.stderr)
        assert found, place.stderr
        return Seen(_of_review(json.loads(asked.stdout)), found[1])

    def by_plugin(self) -> Seen:
        """The answer of the plugin, in a process of its own."""
        done = self._run(sys.executable, str(Path(__file__)))
        if done.returncode:
            return Seen(None, told=done.stderr)
        answer = json.loads(done.stdout)
        return Seen(_of_review(answer["review"]), answer["namespace"])

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, *command, *self.flags],
            env=dict(self.environment),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )


def _of_review(answer: dict[str, Any]) -> dict[str, Any]:
    user = answer["status"]["userInfo"]
    extra = {key: value for key, value in user.get("extra", {}).items() if key != _CREDENTIAL}
    return {**user, "extra": extra, "groups": sorted(user.get("groups", []))}


async def _tell(arguments: Sequence[str]) -> dict[str, Any]:
    """Ask through the plugin's own session, with its own flags."""
    import typer

    from workflowexecution.plugin import flags, session

    found: list[flags.Flags] = []

    def keep(**given: Any) -> None:
        found.append(flags.make_flags(**given))

    parameters, annotations = flags.parameters_of({})
    keep.__annotations__ = annotations
    keep.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    app = typer.Typer(add_completion=False)
    app.command()(keep)
    app(list(arguments), standalone_mode=False)
    async with session.open_session(found[0]) as opened:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        review = await opened.client.request("POST", _REVIEW, body=body)
        return {"review": review, "namespace": opened.namespace}


def main() -> None:
    """Print who the plugin is; an error ends with status 1 and its text."""
    try:
        print(json.dumps(asyncio.run(_tell(sys.argv[1:]))))
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
