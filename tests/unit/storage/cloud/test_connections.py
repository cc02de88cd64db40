import random

import pytest

from labelingest.errors import ConfigError
from labelingest.storage.cloud.clients import open_client
from labelingest.storage.cloud.connections import Connection
from labelingest.storage.urls import place_of


@pytest.mark.parametrize("endpoint", ["https://minio.example.com", "https://10.0.0.1:9000/base"])
def test_an_encrypted_endpoint_is_taken(endpoint: str) -> None:
    assert Connection(endpoint=endpoint).endpoint == endpoint


def test_an_endpoint_without_encryption_needs_to_be_allowed() -> None:
    with pytest.raises(ConfigError, match="not encrypted"):
        Connection(endpoint="http://minio")
    assert Connection(endpoint="http://minio", allow_http=True).endpoint == "http://minio"


@pytest.mark.parametrize("endpoint", ["minio:9000", "https://", "ftp://minio", ""])
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="is no URL"):
        Connection(endpoint=endpoint)


@pytest.mark.parametrize("endpoint", ["https://me:PASSWORD@minio", "https://minio?sig=PASSWORD"])
def test_secrets_in_an_endpoint_are_refused_and_not_repeated(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="credentials come from the environment") as refused:
        Connection(endpoint=endpoint)
    assert "PASSWORD" not in str(refused.value)


@pytest.mark.parametrize("seed", range(5))
def test_what_stays_refused_is_asked_for_again_for_a_minute(seed: int) -> None:
    retries = open_client(place_of("s3://bucket/"), Connection(anonymous=True)).retry_config
    assert retries is not None
    backoff, chance = retries["backoff"], random.Random(seed)
    pause = backoff["init_backoff"].total_seconds()
    waited = 0.0
    # As obstore's client does: a random time between the first one and the last one times the base.
    for _ in range(retries["max_retries"]):
        waited += pause
        pause = chance.uniform(backoff["init_backoff"].total_seconds(), pause * backoff["base"])
        pause = min(pause, backoff["max_backoff"].total_seconds())
    assert waited > retries["retry_timeout"].total_seconds() == 60
