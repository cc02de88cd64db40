"""Times in the form that the state keeps: ISO 8601 in UTC as text, which sorts."""

from datetime import UTC, datetime, timedelta

__all__ = ["later", "now", "seconds_between"]


def now() -> str:
    """Return the present time."""
    return _text(datetime.now(UTC))


def later(moment: str, seconds: float) -> str:
    """Return a moment some seconds after another.

    Examples
    --------
    >>> later("2026-03-01T23:59:59.500Z", 1)
    '2026-03-02T00:00:00.500Z'
    """
    return _text(datetime.fromisoformat(moment) + timedelta(seconds=seconds))


def seconds_between(first: str, second: str) -> float:
    """Return the seconds from one moment to another.

    Examples
    --------
    >>> seconds_between("2026-03-01T23:59:59.500Z", "2026-03-02T00:00:00.500Z")
    1.0
    """
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
