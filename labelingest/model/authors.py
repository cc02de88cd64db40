"""Authors of labels, who are named by their e-mail addresses."""

import re
from typing import Final

__all__ = ["is_email"]

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def is_email(text: str) -> bool:
    """Whether a text has the form of an e-mail address.

    Examples
    --------
    >>> is_email("ann.otator@example.com"), is_email("Ann Otator")
    (True, False)
    """
    return _EMAIL.fullmatch(text) is not None
