"""Which stores are listed a second time before anything is deleted."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from labelingest.folders.sync.second_listing import needs_second_listing
from labelingest.storage import LocalStorage
from tests.builders.synced import CountingStorage


@dataclass
class Named(CountingStorage):
    """A folder with the URL of another place."""

    name: str = ""

    @property
    def url(self) -> str:
        return self.name


@pytest.mark.parametrize(
    ("url", "needs"),
    [
        ("az://container/data/", True),
        ("https://account.blob.core.windows.net/container/data/", True),
        ("s3://clips--use1-az4--x-s3/data/", True),
        ("s3://clips/data/", False),
        ("s3://clips--x-s3-old/data/", False),
        ("gs://clips/data/", False),
        ("https://store.example:9000/clips/data/", False),
        ("file:///az/data/", False),
    ],
)
def test_stores_that_list_from_their_first_key_only_are_listed_again(
    tmp_path: Path, url: str, needs: bool
) -> None:
    storage = Named(LocalStorage(str(tmp_path)), name=url)
    assert needs_second_listing(storage) is needs
