"""Read credentials from the files of AWS's own tools: obstore reads the environment only."""

import os
from collections.abc import Mapping
from configparser import Error, RawConfigParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from labelingest.errors import ConfigError

__all__ = ["AwsProfile", "aws_profile"]

_OTHER_WAYS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables that name other sources of credentials; they come before the profile called default."""


@dataclass(frozen=True, slots=True)
class AwsProfile:
    """Region and credentials of one section of the files."""

    region: str | None
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)


def aws_profile(name: str | None, environment: Mapping[str, str] = os.environ) -> AwsProfile | None:
    """Return the profile to use; None where the environment comes first, or no profile exists.

    Parameters
    ----------
    name
        Name of a profile; None for that of AWS_PROFILE, or else the profile called default.
    environment
        Variables: AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE, …

    Raises
    ------
    ConfigError
        The named profile does not exist, or has no keys in the files.

    Examples
    --------
    >>> aws_profile(None, {"AWS_ACCESS_KEY_ID": "…"}) is None
    True
    """
    if name is None and any(environment.get(variable) for variable in _OTHER_WAYS):
        return None
    chosen = name or environment.get("AWS_PROFILE")
    values = _values(chosen or "default", environment)
    keys = values.get("aws_access_key_id"), values.get("aws_secret_access_key")
    if keys[0] and keys[1]:
        return AwsProfile(values.get("region"), keys[0], keys[1], values.get("aws_session_token"))
    if chosen is None:
        return None
    if not values:
        raise ConfigError(
            f"there is no AWS profile {chosen!r}: aws configure list-profiles shows all"
        )
    raise ConfigError(
        f"AWS profile {chosen!r} has no keys in its files (it signs on elsewhere): run "
        f'eval "$(aws configure export-credentials --profile {chosen} --format env)" first'
    )


def _values(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a profile in both files; the credentials file takes precedence."""
    home = Path(environment.get("HOME") or "~").expanduser() / ".aws"
    config = environment.get("AWS_CONFIG_FILE") or home / "config"
    credentials = environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials"
    section = name if name == "default" else f"profile {name}"
    return _section(Path(config), section) | _section(Path(credentials), name)


def _section(path: Path, section: str) -> dict[str, str]:
    parser = RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (Error, OSError, UnicodeDecodeError):
        # The text of these exceptions repeats lines of the file, which may be keys.
        raise ConfigError(f"{str(path)!r} cannot be read: it is no file of AWS profiles") from None
    return dict(parser[section]) if parser.has_section(section) else {}
