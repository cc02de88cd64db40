"""Find credentials in URLs, and remove them from texts.

A URL may carry a user, a password, a signature or a token. `credential_in` tells whether a URL carries
one; `without_credentials` returns a text without them. `labelingest.storage.urls` decides whether a
URL means anything.
"""

import re
from typing import Final
from urllib.parse import unquote

__all__ = ["MASK", "credential_in", "decode_percent", "without_credentials"]

MASK: Final = "***"
"""Replaces a credential in a text."""
_NAME: Final = (
    r"(?:[\w.-]*[_.-])?(?:sig|sas|signature|(?:access|auth|id|session|refresh|security)?token"
    r"|passwo?rd|passwd|pwd|(?:client)?secret(?:key)?|credentials?|api[_-]?key|account[_-]?key"
    r"|(?:aws)?access[_-]?key(?:[_-]?id)?|(?:google)?accessid|(?:ssl)?password)"
)
"""Names of parameters whose value is a credential, as `X-Amz-Signature`, `sig` and `token`."""
_PARAMETER: Final = rf"(?i)[?&;#/]{_NAME}=[^&;#/]"
# "%3F", or "%253F" where an encoded text was encoded again.
_IN_TEXT: Final = (
    rf"(?i)((?:[?&;#]|%(?:25){{0,4}}(?:3F|26|3B|23)){_NAME}(?:=|%(?:25){{0,4}}3D))[^&;#\s'\"]+"
)
_PASSWORD: Final = (
    r"([^\s/?#:]{0,200}:)"
    # A password may contain slashes; a port and a path behind it are not a password.
    r"(?:[^\s/?#]{0,1000}|(?!\d{1,5}[/'\"\s])[^\s'\"@]{0,1000})@"
)
_WITH_PASSWORD: Final = rf"(:[/\\]+|[/\\]{{2,}}){_PASSWORD}"
# Where services take tokens, a user alone may be one.
_USER_ALONE: Final = r"(?i)\b((?:https?|s3|gs|az|ftp):[/\\]+)[^\s/\\?#'\"@]{1,1000}@"
_MOST_LAYERS: Final = 4
"""Layers of percent-encoding that are removed from a text."""


def decode_percent(text: str) -> str:
    """Return a text without percent-encoding, also where an encoded text was encoded again.

    Examples
    --------
    >>> decode_percent("user%2540host")
    'user@host'
    """
    for _ in range(_MOST_LAYERS):
        plain = unquote(text)
        if plain == text:
            break
        text = plain
    return text


def credential_in(authority: str, rest: str) -> str | None:
    """Return the kind of credential that a URL carries, in words; None where it carries none.

    Parameters
    ----------
    authority
        User, host and port: the text behind `://`, up to the next slash, `?` or `#`.
    rest
        The text behind the authority.

    Examples
    --------
    >>> credential_in("user:pw@host", "/bucket/"), credential_in("host", "/bucket/?sig=abc")
    ('a user or password', 'a signature or token')
    >>> credential_in("host", "/bucket/a@b/") is None
    True
    """
    if "@" in decode_percent(authority) or _has_user(decode_percent(rest)):
        return "a user or password"
    if re.search(_PARAMETER, f"/{decode_percent(rest)}"):
        return "a signature or token"
    return None


def _has_user(text: str) -> bool:
    return bool(re.search(_WITH_PASSWORD, text) or re.search(_USER_ALONE, text))


def without_credentials(text: str) -> str:
    """Return a text in which the credentials of all URLs are replaced by `MASK`.

    Examples
    --------
    >>> without_credentials("see https://user:pw@host/bucket/?sv=2024&sig=abc%3D")
    'see https://***@host/bucket/?sv=2024&sig=***'
    >>> without_credentials("no file 'https://host/bucket%3Fsig%3Dabc'")
    "no file 'https://host/bucket%3Fsig%3D***'"
    """
    if ":" in text and "@" in text:
        text = re.sub(_WITH_PASSWORD, rf"\1\2{MASK}@", text)
        text = re.sub(_USER_ALONE, rf"\1{MASK}@", text)
    return re.sub(_IN_TEXT, rf"\1{MASK}", text) if "=" in text or "%" in text else text
