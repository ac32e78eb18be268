"""The settings that the operator of a target decides by, or why they are not known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflowexecution.core import names
from workflowexecution.core.policy import Published, Rules, entry_for, newest_of, rules_of
from workflowexecution.views.wording import short


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The settings for the decisions on one target.

    rules: None where they are not known; `unknown` then says why, as a whole sentence.
    notes: for people: that the settings are old, or that the operator has a problem.
    """

    rules: Rules | None
    unknown: str = ""
    notes: tuple[str, ...] = ()
    watch_namespaces: Sequence[str] = ()
    allowed_service_accounts: Sequence[str] = ()

    @property
    def cooldown(self) -> timedelta | None:
        """The cooldown; None where it is not known."""
        return self.rules.cooldown if self.rules else None

    def not_served(self, namespace: str) -> str:
        """The reason why no execution in this namespace is decided on; empty where it is served."""
        served = self.watch_namespaces
        if not served or namespace in served:
            return ""
        return (
            f"the operator does not serve namespace {namespace}, only {', '.join(served)}; "
            "-n names another namespace"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSettings:
    """The entries that the operators of an execution namespace have published.

    unreadable: entries that this version cannot read, with the reason.
    unknown: why nothing could be read; empty where something was. lacks_right: whether that is so
        because a right is missing.
    """

    entries: Sequence[Published] = ()
    unreadable: Sequence[str] = ()
    unknown: str = ""
    lacks_right: bool = False

    @property
    def newest(self) -> Published | None:
        """The entry that was written last; None where there is none."""
        return newest_of(self.entries)

    def basis_for(self, target: str, now: datetime) -> Basis:
        """The settings for decisions on a target; ``now`` is aware UTC."""
        entry = entry_for(self.entries, names.target_key(target))
        if entry is None:
            return Basis(rules=None, unknown=_unknown(self.unknown or self._no_entry(target)))
        rules, of_entry = rules_of(entry.settings), entry.settings
        age = age_of(entry, now)
        notes = (f"{age}; see kubectl wfe doctor" if age else "", problem_of(entry))
        by = f"the operator of shard {entry.shard}, version {entry.version or 'unknown'},"
        return Basis(
            rules=rules,
            unknown="" if rules else _unknown(f"{by} does not publish its cooldown and guards"),
            notes=tuple(filter(None, notes)),
            watch_namespaces=of_entry.watch_namespaces or (),
            allowed_service_accounts=of_entry.allowed_service_accounts or (),
        )

    def _no_entry(self, target: str) -> str:
        why = f": {'; '.join(self.unreadable)}" if self.unreadable else ""
        return f"no operator has published any for target {target}{why}"


def age_of(entry: Published, now: datetime) -> str:
    """The sentence for an entry that is old; empty where it is not."""
    if entry.written_at is None or not entry.is_old(now):
        return ""
    ago = short(now - entry.written_at)
    return (
        f"the operator's settings are as of {entry.written_at:%Y-%m-%d %H:%M:%S} UTC, {ago} ago: "
        "it may not be running"
    )


def problem_of(entry: Published) -> str:
    """The sentence for an operator that has reported a problem of its own; empty without one."""
    if not entry.problem:
        return ""
    at = f" at {entry.written_at:%H:%M:%S} UTC" if entry.written_at else ""
    return f"the operator reported{at}: {entry.problem}; until that is over it may decide nothing"


def _unknown(why: str) -> str:
    return f"the operator's settings are not known: {why}"
