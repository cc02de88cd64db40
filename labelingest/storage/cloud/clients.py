"""Open an obstore client for a place, with the options of a connection and credentials from outside.

obstore looks for credentials where the providers' own clients do: in the environment, in files of
Google's and Azure's tools, and at the machine's metadata service. This module adds AWS's files.
"""

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias, TypedDict

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from labelingest.errors import ConfigError
from labelingest.storage.cloud.aws_profile import AwsProfile, aws_profile
from labelingest.storage.cloud.connections import Connection
from labelingest.storage.urls import Place, Provider

if TYPE_CHECKING:
    from obstore.store import (
        AzureConfig,
        ClientConfig,
        GCSConfig,
        RetryConfig,
        S3Config,
        S3Credential,
    )

__all__ = ["Client", "open_client"]

Client: TypeAlias = S3Store | GCSStore | AzureStore

_CONNECT: Final = 10.0
"""Seconds that opening a connection may take."""
_LONGEST: Final = timedelta(hours=1)
"""Time for one request as a whole: enough for the largest files on slow lines."""
_ACCOUNT: Final = (
    "the storage account is not known: give https://ACCOUNT.blob.core.windows.net/CONTAINER/, or "
    "set AZURE_STORAGE_ACCOUNT_NAME"
)

_VARIABLES: Final = {
    Provider.S3: "AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY (both or neither), and other AWS_…",
    Provider.GOOGLE: "GOOGLE_APPLICATION_CREDENTIALS and other GOOGLE_…",
    Provider.AZURE: "AZURE_STORAGE_ACCOUNT_KEY (Base64) and other AZURE_…",
}


def open_client(place: Place, connection: Connection) -> Client:
    """Return a client for the keys below a place, without a request to the network.

    Raises
    ------
    ConfigError
        The environment holds no usable options for the place.

    Examples
    --------
    >>> from labelingest.storage.urls import place_of
    >>> open_client(place_of("s3://bucket/drive/"), Connection(region="eu-west-1", anonymous=True))
    S3Store(bucket="bucket", prefix="drive")
    """
    try:
        if place.provider is Provider.S3:
            return _s3(place, connection)
        if place.provider is Provider.GOOGLE:
            return _google(place, connection)
        return _azure(place, connection)
    except (BaseError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        if "Account must be specified" in str(error):
            raise ConfigError(f"{place.url}: {_ACCOUNT}") from None
        # The error's text may repeat a key that was set wrongly.
        raise ConfigError(
            f"{place.url} cannot be opened with the environment as it is: check "
            f"{_VARIABLES[place.provider]}"
        ) from None


def _s3(place: Place, connection: Connection) -> S3Store:
    config: S3Config = {}
    profile = None if connection.anonymous else aws_profile(connection.profile)
    region = connection.region or place.region or (profile and profile.region)
    if region:
        config["region"] = region
    if endpoint := place.endpoint:
        # The more specific of two names: it overrides both variables of the environment.
        config["aws_endpoint_url_s3"] = endpoint
    if connection.anonymous:
        config["skip_signature"] = True
    return S3Store(
        place.bucket,
        config=config,
        **_options(place, connection),
        credential_provider=None if profile is None else lambda: _credential(profile),
    )


def _credential(profile: AwsProfile) -> "S3Credential":
    return {
        "access_key_id": profile.access_key_id,
        "secret_access_key": profile.secret_access_key,
        "token": profile.session_token,
        "expires_at": None,
    }


def _google(place: Place, connection: Connection) -> GCSStore:
    config: GCSConfig = {}
    if place.endpoint:
        config["base_url"] = place.endpoint
    if connection.anonymous:
        config["skip_signature"] = True
    return GCSStore(
        place.bucket,
        config=config,
        **_options(place, connection),
    )


def _azure(place: Place, connection: Connection) -> AzureStore:
    config: AzureConfig = {}
    if account := connection.account or place.account:
        config["account_name"] = account
    if endpoint := place.endpoint:
        config["endpoint"] = endpoint
    if connection.anonymous:
        config["skip_signature"] = True
    return AzureStore(
        place.bucket,
        config=config,
        **_options(place, connection),
    )


class _Options(TypedDict):
    """Options that every store has."""

    prefix: str | None
    client_options: "ClientConfig"
    retry_config: "RetryConfig"


def _options(place: Place, connection: Connection) -> _Options:
    return {
        "prefix": place.prefix or None,
        "client_options": _client_options(place, connection),
        "retry_config": _retries(connection),
    }


def _client_options(place: Place, connection: Connection) -> "ClientConfig":
    timeout = connection.timeout
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=min(timeout, _CONNECT)),
        "read_timeout": timedelta(seconds=timeout),
        "timeout": _LONGEST,
        "user_agent": "labelingest",
    }
    # A storage path with http:// is a deliberate choice; other endpoints have to be allowed.
    # Options passed here replace those of the environment, so that variable is read here too.
    allowed = os.environ.get(f"{place.provider.variables}_ALLOW_HTTP", "").lower() in {"1", "true"}
    if allowed or connection.allow_http or (place.endpoint or "").startswith("http://"):
        options["allow_http"] = True
    return options


def _retries(connection: Connection) -> "RetryConfig":
    """Return the pauses between repeats of a request: 0.1 s, then growing, for a minute in all.

    obstore waits a random time between the first pause and the last pause times the base, at most
    15 s. With a base of 2 the pauses do not grow. The number of repeats ends them earlier only where
    it is small.
    """
    return {
        "max_retries": connection.retries,
        "retry_timeout": timedelta(minutes=1),
        "backoff": {
            "init_backoff": timedelta(milliseconds=100),
            "max_backoff": timedelta(seconds=15),
            "base": 4,
        },
    }
