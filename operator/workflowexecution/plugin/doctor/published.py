"""The published settings: whether they can be read, are current, and are the same in all shards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from workflowexecution.api.reading import format_duration
from workflowexecution.core import names
from workflowexecution.core.names import Shard
from workflowexecution.core.policy import Published, PublishedSettings
from workflowexecution.core.text import command
from workflowexecution.kube import errors
from workflowexecution.plugin.doctor.check import (
    Finding,
    Installation,
    missing_shards,
    ok,
    warning,
)
from workflowexecution.plugin.rendering import as_plain
from workflowexecution.plugin.session import Session
from workflowexecution.views.published import age_of, problem_of
from workflowexecution.views.wording import install, short

_CHECK: Final = "settings"
_ALIKE: Final = "give the operators of all shards the same settings"
_UPGRADE: Final = "wait until the upgrade is over; if there is none, upgrade the others"
_OTHER_VERSION: Final = "use the plugin of the operator's version"


async def check_settings(session: Session, installation: Installation) -> list[Finding]:
    """The operators of all shards publish their settings, and have the same.

    Raises: MissingRightError where what they publish could not be read.
    """
    theirs = installation.runs_in
    if theirs != session.execution_namespace:
        detail = f"the operator's runs are in {theirs}, and not in {session.execution_namespace}"
        fix = command("export", f"WFE_EXECUTION_NAMESPACE={theirs}")
        return [warning(_CHECK, detail, fix)]
    if installation.published.lacks_right:
        raise errors.MissingRightError(installation.published.unknown)
    return settings_findings(installation, session.now())


def settings_findings(installation: Installation, now: datetime) -> list[Finding]:
    """Judge what is published; ``now`` is aware UTC."""
    published = installation.published
    if published.unknown or not (published.entries or published.unreadable):
        return [_nothing_published(installation)]
    current = [entry for entry in published.entries if not entry.is_old(now)]
    missing = missing_shards([entry.shard for entry in current])
    found = [
        _of_current(entry, installation, now)
        if entry in current
        else _of_old(entry, installation, now, is_left=bool(current) and not missing)
        for entry in published.entries
    ]
    found += [
        warning(_CHECK, f"an entry cannot be read: {problem}", _OTHER_VERSION)
        for problem in published.unreadable
    ]
    return found + _missing(missing) + _differences(current)


def _nothing_published(installation: Installation) -> Finding:
    where = f"{installation.execution_namespace}/{names.SETTINGS_CONFIG_MAP}"
    detail = f"no operator has published by which settings it decides, in ConfigMap {where}"
    of_it = ("-n", installation.operator_namespace, f"deploy/{installation.deployment}")
    logs = command("kubectl", "logs", *of_it)
    fix = f"{install('install')}; {logs}; an older operator publishes nothing"
    return warning(_CHECK, detail, fix)


def _of_current(entry: Published, installation: Installation, now: datetime) -> Finding:
    if problem := problem_of(entry):
        return warning(_CHECK, f"{_name(entry)}: {problem}", _see_pods(installation))
    ago = f", {short(now - entry.written_at)} ago" if entry.written_at else ""
    by = f"by {entry.written_by or 'an unknown process'}{ago}"
    return ok(_CHECK, f"{_name(entry)}, {by}: {_shown_settings(entry.settings)}")


def _of_old(
    entry: Published, installation: Installation, now: datetime, *, is_left: bool
) -> Finding:
    """Judge an entry that is not written any more; it is left where others have all targets."""
    if not is_left:
        return warning(_CHECK, f"{_name(entry)}: {age_of(entry, now)}", _see_pods(installation))
    patch = f'[{{"op": "remove", "path": "/data/{names.settings_key(entry.shard)}"}}]'
    place = ("configmap", names.SETTINGS_CONFIG_MAP, "-n", installation.execution_namespace)
    fix = command("kubectl", "patch", *place, "--type=json", "-p", patch)
    return warning(_CHECK, f"{_name(entry)}: no operator writes this entry any more", fix)


def _name(entry: Published) -> str:
    return f"shard {entry.shard}, version {entry.version or 'unknown'}"


def _see_pods(installation: Installation) -> str:
    pods = command("kubectl", "get", "pods", "-n", installation.operator_namespace)
    return f"{pods}; see the log of that operator"


def _missing(shards: Sequence[Shard]) -> list[Finding]:
    if not shards:
        return []
    detail = f"no operator of shard {', '.join(map(str, shards))} publishes its settings"
    return [warning(_CHECK, detail, "deploy it, or see in its log why it does not publish")]


def _differences(current: Sequence[Published]) -> list[Finding]:
    found = []
    versions = {str(entry.shard): entry.version for entry in current}
    if len(set(versions.values())) > 1:
        found.append(warning(_CHECK, f"several versions: {_listed(versions)}", _UPGRADE))
    for field in PublishedSettings.model_fields:
        values = {str(one.shard): _shown(getattr(one.settings, field)) for one in current}
        if len(set(values.values())) > 1:
            detail = f"{field} differs between shards: {_listed(values)}"
            found.append(warning(_CHECK, detail, _ALIKE))
    return found


def _listed(values: dict[str, str]) -> str:
    return ", ".join(f"{value} in {shard}" for shard, value in sorted(values.items()))


def _shown(value: object) -> str:
    plain = as_plain(value)
    return ", ".join(plain) or "none" if isinstance(plain, list) else str(plain)


def _shown_settings(settings: PublishedSettings) -> str:
    """The settings that people ask about most."""
    cooldown = settings.cooldown
    return "; ".join(
        (
            f"cooldown {'unknown' if cooldown is None else format_duration(cooldown)}",
            _guards_of(settings),
            f"serves {', '.join(settings.watch_namespaces or ()) or 'all namespaces'}",
        )
    )


def _guards_of(settings: PublishedSettings) -> str:
    if settings.guard_failed is None or settings.retry_limit is None:
        return "guards unknown"
    on = [
        "after failures" if settings.guard_failed else "",
        f"after {settings.retry_limit} failures before the first step"
        if settings.retry_limit
        else "",
    ]
    return f"guards {' and '.join(filter(None, on)) or 'off'}"
