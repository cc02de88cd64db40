"""Options of a connection to cloud storage: endpoint, region, account; never a secret.

Secrets come from the environment or the provider's own files when a client is opened
(`labelingest.storage.cloud.clients`), so that a connection can be stored, pickled and printed.
"""

from dataclasses import dataclass
from typing import Final

from labelingest.errors import ConfigError
from labelingest.storage.urls import parse_url

__all__ = ["Connection"]

_MOST_RETRIES: Final = 1_000_000
_LONGEST_TIMEOUT: Final = 86_400


@dataclass(frozen=True, slots=True)
class Connection:
    """Options of a connection; None and False leave an option to the environment.

    Raises
    ------
    ConfigError
        The endpoint is no URL, holds a secret, or is unencrypted without `allow_http`.

    Examples
    --------
    >>> Connection(endpoint="https://minio.example.com", region="eu-west-1").region
    'eu-west-1'
    >>> Connection(endpoint="http://minio.example.com")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: endpoint http://minio.example.com is not encrypted: ...
    """

    endpoint: str | None = None
    """URL of the service, where it is not the provider's own."""
    region: str | None = None
    """Region of the bucket, for S3."""
    profile: str | None = None
    """Section of ~/.aws/credentials whose keys are used, for S3."""
    account: str | None = None
    """Name of the storage account, for Azure."""
    anonymous: bool = False
    """Send requests without credentials, for public buckets."""
    allow_http: bool = False
    """Accept endpoints that begin with http://: data can be read on its way through the network."""
    retries: int = 60
    """Number of repeats, at most, of a request that was refused for now (429, 5xx) or got no answer;
    fewer where they take more than a minute."""
    timeout: float = 30.0
    """Seconds without a byte after which a request counts as unanswered."""

    def __post_init__(self) -> None:
        if not 0 <= self.retries <= _MOST_RETRIES or not 0 < self.timeout <= _LONGEST_TIMEOUT:
            raise ConfigError(
                f"retries {self.retries!r}, timeout {self.timeout!r}: expected up to "
                f"{_MOST_RETRIES:,} retries, and above 0 to {_LONGEST_TIMEOUT:,} seconds"
            )
        if self.endpoint is None:
            return
        address = parse_url(self.endpoint, "the endpoint", "https://minio.example.com")
        place = f"{address.scheme}://{address.host}"
        if address.scheme not in {"http", "https"} or not address.host:
            raise ConfigError(f"endpoint {place!r} is no URL, as https://minio.example.com")
        if address.tail:
            raise ConfigError(
                f"endpoint {place} comes with a query or a fragment: leave them out; "
                "credentials belong into the environment"
            )
        if address.scheme == "http" and not self.allow_http:
            raise ConfigError(
                f"endpoint {place} is not encrypted: use https://, or allow it with --allow-http"
            )
