import pytest

from labelingest.errors import ConfigError
from labelingest.storage.urls import Provider, place_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://bucket", (Provider.S3, "s3://bucket/", "bucket", "", None)),
        ("S3://bucket/a/b/", (Provider.S3, "s3://bucket/a/b/", "bucket", "a/b", None)),
        ("gs://bucket/a", (Provider.GOOGLE, "gs://bucket/a/", "bucket", "a", None)),
        ("az://box/a/", (Provider.AZURE, "az://box/a/", "box", "a", None)),
        (
            "https://minio.example.com:9000/bucket/a b/",
            (
                Provider.S3,
                "https://minio.example.com:9000/bucket/a%20b/",
                "bucket",
                "a b",
                "https://minio.example.com:9000",
            ),
        ),
        (
            "http://minio/bucket",
            (Provider.S3, "http://minio/bucket/", "bucket", "", "http://minio"),
        ),
        (
            "https://storage.googleapis.com/bucket/a/",
            (Provider.GOOGLE, "https://storage.googleapis.com/bucket/a/", "bucket", "a", None),
        ),
    ],
)
def test_a_url_names_provider_bucket_prefix_and_endpoint(
    url: str, expected: tuple[Provider, str, str, str, str | None]
) -> None:
    place = place_of(url)
    assert (place.provider, place.url, place.bucket, place.prefix, place.endpoint) == expected


@pytest.mark.parametrize(
    ("url", "bucket", "prefix", "region"),
    [
        ("https://my.bucket.s3.eu-west-1.amazonaws.com/a/", "my.bucket", "a", "eu-west-1"),
        ("https://s3.eu-west-1.amazonaws.com/bucket/a/", "bucket", "a", "eu-west-1"),
        ("https://s3-us-west-2.amazonaws.com/bucket/", "bucket", "", "us-west-2"),
    ],
)
def test_addresses_of_amazon_name_the_region(
    url: str, bucket: str, prefix: str, region: str
) -> None:
    place = place_of(url)
    assert (place.bucket, place.prefix, place.region) == (bucket, prefix, region)
    assert (place.provider, place.url, place.endpoint) == (Provider.S3, url, None)


def test_addresses_of_azure_name_account_and_container() -> None:
    place = place_of("https://lab1.blob.core.windows.net/images/drive/")
    assert place.provider is Provider.AZURE
    assert (place.account, place.bucket, place.prefix) == ("lab1", "images", "drive")


@pytest.mark.parametrize("prefix", ["a b", "100%25", "%3F%23", "é", "日本", "a+b&c=d", "a%2520b"])
def test_the_url_of_a_place_means_the_same_place(prefix: str) -> None:
    place = place_of(f"s3://bucket/{prefix}/")
    assert place_of(place.url) == place
    assert place.url.isascii()


@pytest.mark.parametrize(
    "url",
    [
        "https://user:PASSWORD@host/bucket/",
        "s3://KEY:PASSWORD@bucket/a/",
        "https://lab.blob.core.windows.net/images/?sv=2024&sig=PASSWORD",
        "https://host/bucket/a?X-Amz-Signature=PASSWORD",
        "https://host/bucket/a#PASSWORD",
    ],
)
def test_secrets_in_a_url_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="come from the environment") as refused:
        place_of(url)
    assert "PASSWORD" not in str(refused.value)
    assert "KEY" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("s3://", "names no bucket: give s3://bucket/prefix/"),
        ("s3:///prefix/", "names no bucket"),
        ("https://minio.example.com/", "give https://minio.example.com/bucket/prefix/"),
        ("https://lab.blob.core.windows.net", "names no bucket"),
        ("s3://bucket/a//b/", "no empty, '.' or '..' parts"),
        ("gs://bucket/../b/", "no empty, '.' or '..' parts"),
        ("https://[::1/bucket/", "is no URL"),
    ],
)
def test_a_url_that_names_no_place_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        place_of(url)
    assert sentence in str(refused.value)
