"""Lengths of time for people."""

from datetime import timedelta


def short(value: timedelta | None) -> str:
    """A length of time as kubectl shows ages: `45s`, `12m`, `3h5m`, `8d`; empty for None."""
    if value is None:
        return ""
    seconds = max(0, int(value.total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 60:
        return f"{minutes}m{seconds % 60}s" if minutes < 10 and seconds % 60 else f"{minutes}m"
    if hours < 48:
        return f"{hours}h{minutes % 60}m" if hours < 8 and minutes % 60 else f"{hours}h"
    return f"{hours // 24}d"
