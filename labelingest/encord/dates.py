"""Dates of label rows: one form is written, many are read.

Written: `Mon, 05 Jan 2026 16:46:58 UTC`. Read: that form with UTC or GMT, ISO 8601 with or without
a zone, the form of e-mails, and the common forms with a month's English name. A date without a zone
is UTC. Names of days and months are our own: those of `strftime` depend on the machine.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from labelingest.columns.types import Int64, Texts

__all__ = ["are_written_dates", "date_column", "date_text", "written_date"]

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND: Final = -62_135_596_800
_LAST_SECOND: Final = 253_402_300_799
"""Seconds since 1970 of the first and the last second of years with four digits, 1 to 9999."""
_CLOCK: Final = (
    r"(?:,?[ T]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?(?:UTC|GMT|Z))?)?"
)
_WEEKDAY: Final = r"(?:[A-Za-z]{3,9},? +)?"
_FORMS: Final = tuple(
    re.compile(_WEEKDAY + date + _CLOCK, re.ASCII)
    for date in (
        r"(?P<day>\d{1,2})[ -](?P<name>[A-Za-z]{3,9})\.?[ -](?P<year>\d{4})",
        r"(?P<name>[A-Za-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})",
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
    )
)
_EARLIEST: Final = b"AAA, 00 AAA 0000 00:00:00 UTC\n"
_LATEST: Final = b"zzz, 39 zzz 9999 29:59:59 UTC\n"
"""Least and greatest character at each place of a date and the line's end behind it."""
_LINE: Final = len(_EARLIEST)
_HOUR: Final = len("Mon, 05 Jan 2026 ")
_DAY: Final = _HOUR - 1
_DAY_SECONDS: Final = 86_400
_TWO: Final = ord("2")
_THREE: Final = ord("3")


def date_text(time_ns: int) -> str:
    """Return a time, in nanoseconds since 1970 UTC, as label rows spell dates.

    Parts of a second are cut off.

    Examples
    --------
    >>> date_text(1_767_631_618_999_999_999)
    'Mon, 05 Jan 2026 16:46:58 UTC'
    """
    return _date_of_second(time_ns // 1_000_000_000)


def date_column(times_ns: Int64) -> Texts:
    """Return the texts of `date_text` for (n,) times as a column of bytes.

    Examples
    --------
    >>> date_column(np.array([1_767_631_618_999_999_999])).tolist()
    [b'Mon, 05 Jan 2026 16:46:58 UTC']
    """
    seconds = times_ns // 1_000_000_000
    days, day = np.unique(seconds // _DAY_SECONDS, return_inverse=True)
    midnights = [date_text(number * _DAY_SECONDS * 1_000_000_000) for number in days.tolist()]
    texts = np.array(midnights, dtype=f"S{_LINE - 1}")[day]
    clock = seconds % _DAY_SECONDS
    places = texts.view(np.uint8).reshape(len(texts), _LINE - 1)
    for place, number in (
        (_HOUR, clock // 3600),
        (_HOUR + 3, clock // 60 % 60),
        (_HOUR + 6, clock % 60),
    ):
        places[:, place] += (number // 10).astype(np.uint8)
        places[:, place + 1] += (number % 10).astype(np.uint8)
    return texts


@lru_cache(maxsize=4096)
def _date_of_second(second: int) -> str:
    # A file system holds any number; dates here have four-digit years.
    return _spelled(_EPOCH + timedelta(seconds=min(max(second, _FIRST_SECOND), _LAST_SECOND)))


def _spelled(time: datetime) -> str:
    day, month = _DAYS[time.weekday()], _MONTHS[time.month - 1]
    return f"{day}, {time.day:02} {month} {time.year:04} {time:%H:%M:%S} UTC"


@lru_cache(maxsize=8192)
def written_date(text: str) -> str | None:
    """Return a date in the form that label rows are written in; None where it is no date.

    Parts of a second are cut off, as Encord's client does.

    Examples
    --------
    >>> written_date("2026-01-05 16:46:58")
    'Mon, 05 Jan 2026 16:46:58 UTC'
    >>> written_date("2026-01-05T16:46:58.9+02:00")
    'Mon, 05 Jan 2026 14:46:58 UTC'
    >>> written_date("yesterday") is None
    True
    """
    if len(text) > 64:
        return None
    try:
        date = _free_form(text.strip()) or _standard_form(text.strip())
        if date is None:
            return None
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return _spelled(date)


def _standard_form(text: str) -> datetime | None:
    """Read ISO 8601, then the form of e-mails."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    # Loads many modules for networks, and hardly any label row needs it.
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None


def _free_form(text: str) -> datetime | None:
    """Read a date without a zone, or in UTC."""
    for form in _FORMS:
        match = form.fullmatch(text)
        if match:
            part = match.groupdict()
            month = part.get("month") or _month(part.get("name") or "")
            if not month:
                return None
            hour = int(part["hour"] or 0)
            if part["half"]:
                hour = hour % 12 + 12 * (part["half"] in "Pp")
            start = datetime(int(part["year"]), int(month), int(part["day"]), tzinfo=UTC)
            minute, second = int(part["minute"] or 0), int(part["second"] or 0)
            if hour > 23 or minute > 59 or second > 60:
                return None
            # Some clocks write a leap second as :60; the next minute begins then.
            return start + timedelta(hours=hour, minutes=minute, seconds=second)
    return None


def _month(name: str) -> int:
    """Return 1 to 12 for an English month, short or whole; 0 for no month."""
    short = name[:3].title()
    return _MONTHS.index(short) + 1 if short in _MONTHS else 0


def are_written_dates(dates: Sequence[str]) -> bool:
    """Whether dates are all in the written form, and days of the calendar.

    Examples
    --------
    >>> date = "Mon, 05 Jan 2026 16:46:58 UTC"
    >>> are_written_dates([date, date]), are_written_dates([date, "2026-01-05"])
    (True, False)
    """
    # As many lines as dates, each as long as a date: so no date is shorter or longer than another.
    n = len(dates)
    text = "\n".join((*dates, "")).encode() if n else b""
    if n == 0 or len(text) != n * _LINE:
        return n == 0
    characters = np.frombuffer(text, np.uint8)
    least, greatest = np.frombuffer(_EARLIEST * n, np.uint8), np.frombuffer(_LATEST * n, np.uint8)
    if (characters < least).any() or (characters > greatest).any():
        return False
    tens, units = characters[_HOUR::_LINE], characters[_HOUR + 1 :: _LINE]
    if ((tens == _TWO) & (units > _THREE)).any():
        return False
    return all(
        written_date(midnight) == midnight
        for day in {date[:_DAY] for date in dates}
        if (midnight := f"{day} 00:00:00 UTC")
    )
