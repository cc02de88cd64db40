import pytest

from labelingest.errors import ConfigError
from labelingest.storage.connections import Connection


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
    with pytest.raises(ConfigError, match="credentials belong into the environment") as refused:
        Connection(endpoint=endpoint)
    assert "PASSWORD" not in str(refused.value)
