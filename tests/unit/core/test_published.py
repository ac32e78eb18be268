"""An operator publishes its settings, and one entry counts for each target."""

import json
from datetime import timedelta

import pytest

from builders import NOW, TARGET, ago, make_policy
from workflowexecution.core import names
from workflowexecution.core.guards import Guards
from workflowexecution.core.names import Shard, parts_of
from workflowexecution.core.policy import (
    Published,
    PublishedSettings,
    entry_for,
    parse_published,
    rules_of,
    settings_of,
)

TEN = timedelta(minutes=10)
GUARDS = Guards(failed=True, retry_limit=3, first_pause=timedelta(seconds=20))


ONE = Shard()


def entry(shard: Shard = ONE, minutes: float = 1, **settings: object) -> Published:
    return Published(
        version="1.2.3",
        shard=shard,
        written_at=ago(minutes=minutes),
        written_by="pod-1",
        settings=PublishedSettings(resync_interval=TEN, **settings),
    )


def test_readers_decide_by_the_settings_that_were_written() -> None:
    policy = make_policy(cooldown=timedelta(seconds=20), guards=GUARDS, watch_namespaces=("a",))
    written = Published(shard=policy.shard, written_at=NOW, settings=settings_of(policy, TEN))
    (read,), problems = parse_published({"shard-1-of-1": written.to_text()})
    assert (read, problems) == (written, [])
    found = rules_of(read.settings)
    assert found is not None
    assert (found.cooldown, found.guards) == (policy.cooldown, GUARDS)


def test_the_document_is_json_with_go_durations() -> None:
    told = json.loads(entry(Shard(2, 3), cooldown=timedelta(seconds=90)).to_text())
    assert told["shard"] == "2/3"
    assert told["settings"] == {"cooldown": "1m30s", "resyncInterval": "10m0s"}
    assert told["writtenAt"].endswith("Z")


@pytest.mark.parametrize(
    "missing", ["cooldown", "guardFailed", "retryLimit", "firstRetryPause", "longestRetryPause"]
)
def test_a_setting_that_is_not_published_is_not_known(missing: str) -> None:
    told = json.loads(Published(shard=Shard(), settings=settings_of(make_policy(), TEN)).to_text())
    assert rules_of(PublishedSettings.model_validate(told["settings"])) is not None
    del told["settings"][missing]
    assert rules_of(PublishedSettings.model_validate(told["settings"])) is None


def test_an_older_reader_ignores_what_a_newer_operator_adds() -> None:
    (read,), problems = parse_published(
        {"shard-1-of-1": '{"shard": "1/1", "mood": {"is": "good"}}'}
    )
    assert (read.version, read.written_at, problems) == ("", None, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "shard-1-of-2: Invalid JSON"),
        ('{"version": "1"}', "shard-1-of-2: shard: Field required"),
        ('{"shard": "3/2"}', "shard-1-of-2: shard: '3/2' is no part of a whole"),
        ('{"shard": "1/2", "settings": {"cooldown": "soon"}}', "shard-1-of-2: settings.cooldown"),
        (7, "shard-1-of-2: "),
    ],
)
def test_an_entry_that_cannot_be_read_leaves_the_others(text: str, problem: str) -> None:
    found, (said,) = parse_published({"shard-1-of-2": text, "shard-2-of-2": '{"shard": "2/2"}'})
    assert [str(one.shard) for one in found] == ["2/2"]
    assert said.startswith(problem)


def test_the_entry_of_the_shard_that_holds_the_target_counts_and_of_several_the_newest() -> None:
    key = names.target_key(TARGET)
    (mine,) = [shard for shard in parts_of(2) if shard.holds(key)]
    (other,) = [shard for shard in parts_of(2) if not shard.holds(key)]
    assert entry_for([entry(other)], key) is None
    old, new = entry(minutes=9), entry(mine, minutes=3)
    assert entry_for([entry(other), new, old], key) is new
    assert entry_for([Published(shard=Shard()), old], key) is old


@pytest.mark.parametrize(("minutes", "is_old"), [(0, False), (21, False), (22, True)])
def test_an_entry_is_old_after_two_relists_that_did_not_write(minutes: float, is_old: bool) -> None:
    assert entry(minutes=minutes).is_old(NOW) is is_old


def test_without_a_time_or_an_interval_age_is_not_known() -> None:
    assert not Published(shard=Shard()).is_old(NOW)
    assert not Published(shard=Shard(), written_at=ago(minutes=999)).is_old(NOW)
