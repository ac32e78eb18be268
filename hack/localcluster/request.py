"""The order that `up` leaves in the state directory for the processes that carry it out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcluster.programs import Tier

REPOSITORY = Path(__file__).parents[2]
OUR_CRDS = REPOSITORY / "manifests/crd"


@dataclass(frozen=True)
class Request:
    """A cluster to run: the tier, and the folders for state, programs and manifests.

    `owner` is the process whose end ends the cluster; None where only `down` does. `isolated`
    clusters run in kernel namespaces of their own. `server_flags` are more flags of the API server.
    """

    tier: Tier
    state: Path
    programs: dict[str, Path]
    tekton_config: Path
    crds: Path = OUR_CRDS
    owner: int | None = None
    isolated: bool = False
    server_flags: tuple[str, ...] = ()

    @property
    def logs(self) -> Path:
        """Folder with one log for each program."""
        return self.state / "logs"

    def save(self) -> None:
        """Write the order into the state directory."""
        fields = {
            "tier": self.tier,
            "programs": {name: str(path) for name, path in self.programs.items()},
            "tekton_config": str(self.tekton_config),
            "crds": str(self.crds),
            "owner": self.owner,
            "isolated": self.isolated,
            "server_flags": self.server_flags,
        }
        _path(self.state).write_text(json.dumps(fields, indent=1))


def load(state: Path) -> Request:
    """The order in `state`."""
    fields: dict[str, Any] = json.loads(_path(state).read_text())
    return Request(
        tier=Tier(fields["tier"]),
        state=state,
        programs={name: Path(path) for name, path in fields["programs"].items()},
        tekton_config=Path(fields["tekton_config"]),
        crds=Path(fields["crds"]),
        owner=fields["owner"],
        isolated=fields["isolated"],
        server_flags=tuple(fields["server_flags"]),
    )


def _path(state: Path) -> Path:
    return state / "request.json"
