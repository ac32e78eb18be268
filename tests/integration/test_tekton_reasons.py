"""The table of Tekton's reasons is what the source of the pinned Tekton declares."""

from __future__ import annotations

import tekton_reasons


def test_the_table_is_what_the_pinned_source_declares() -> None:
    table = tekton_reasons.known()
    newest = list(table)[-1]
    assert tekton_reasons.reasons_in(tekton_reasons.source_of(newest)) == table[newest]
