"""`make audit`: report the known vulnerabilities of the locked requirements; it never fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# What the image holds, and what development takes besides.
LOCKS = ("requirements-run.lock", "requirements.lock")
SECONDS = 300


@dataclass(frozen=True)
class Answer:
    """What pip-audit printed: its JSON, or where it has none, a complaint."""

    report: str
    complaint: str


def main() -> int:
    """Ask for every lock and print what is known of it."""
    for lock in LOCKS:
        for line in describe(lock, ask(REPOSITORY / lock)):
            print(line)
    return 0


def ask(lock: Path) -> Answer:
    """Have PyPI's advisories looked up for one lock."""
    pip_audit = [str(Path(sys.executable).parent / "pip-audit"), "--progress-spinner=off"]
    what = ["--disable-pip", "--require-hashes", "--format=json", f"--requirement={lock}"]
    try:
        done = subprocess.run(
            [*pip_audit, *what], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Answer("", f"no answer within {SECONDS} s")
    return Answer(done.stdout, done.stderr)


def describe(lock: str, answer: Answer) -> Iterator[str]:
    """Word one answer. That nothing was found is said only of packages that were looked up."""
    try:
        packages = json.loads(answer.report)["dependencies"]
    except (ValueError, KeyError):
        yield f"audit of {lock}: could not ask: {_last_line(answer.complaint)}"
        return
    skipped = [package for package in packages if "skip_reason" in package]
    known = [package for package in packages if package.get("vulns")]
    if packages and len(skipped) == len(packages):
        yield f"audit of {lock}: could not ask: the index has no advisories for any package"
        return
    asked = len(packages) - len(skipped)
    yield f"audit of {lock}: {len(known)} of {asked} packages have known vulnerabilities"
    for package in known:
        for found in package["vulns"]:
            names = ", ".join([found["id"], *found.get("aliases", ())])
            fixed = ", ".join(found.get("fix_versions", ())) or "no version yet"
            yield f"  {package['name']} {package['version']}: {names}; fixed in {fixed}"
    for package in skipped:
        yield f"  {package['name']}: not looked up: {package['skip_reason']}"


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "it said nothing")


if __name__ == "__main__":
    sys.exit(main())
