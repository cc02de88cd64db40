"""Storage servers that tests start themselves: moto for S3 and Google, Azurite for Azure.

Google's XML protocol, which obstore's client speaks, is that of S3: moto's server answers it. (The
emulator gcp-storage-emulator has the JSON protocol only.)
"""

import base64
import hashlib
import hmac
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import quote

from labelingest.storage import open_storage
from labelingest.storage.base import Storage
from labelingest.storage.cloud.connections import Connection

ROOT = Path(__file__).parents[2]
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""Azurite's own, the same everywhere."""
BUCKET = "labels"
"""The one that each server has."""
PAGE = 10
"""Keys on one page of moto's listings."""

CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "test-key",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_REGION": "us-east-1",
    "GOOGLE_BEARER_TOKEN": "test-token",
    "AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY,
    "NO_PROXY": "127.0.0.1",
}
"""What the environment holds while clients ask these servers."""
_NUMBERS = count()


@dataclass(frozen=True)
class CloudServer:
    """A running server with one bucket."""

    scheme: str
    """s3, gs or az."""
    address: str
    """Host and port."""

    def connection(self, address: str | None = None, **options: float) -> Connection:
        """Return how it is reached, at its own address or a proxy's."""
        endpoint = f"http://{address or self.address}"
        if self.scheme == "az":
            endpoint += f"/{ACCOUNT}"
        account = ACCOUNT if self.scheme == "az" else None
        return Connection(endpoint=endpoint, account=account, allow_http=True, **options)  # type: ignore[arg-type]

    def new_url(self) -> str:
        """Return the URL of a storage path that nobody else uses."""
        return f"{self.scheme}://{BUCKET}/test-{next(_NUMBERS)}/"

    def storage(self, contents: Mapping[str, bytes], url: str | None = None) -> Storage:
        """Return a storage path of its own with these files."""
        storage = open_storage(url or self.new_url(), connection=self.connection())
        for key, content in contents.items():
            storage.put(key, content)
        return storage

    def put_raw(
        self, url: str, keys: Sequence[str], content: bytes = b"", acl: str = "private"
    ) -> None:
        """Put objects as no client here would: under any names, for anybody to read; for moto."""
        connection = http.client.HTTPConnection(self.address)
        for key in keys:
            path = quote(url.partition("://")[2] + key)
            connection.request("PUT", f"/{path}", body=content, headers={"x-amz-acl": acl})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
        connection.close()


@contextmanager
def moto_server() -> Iterator[str]:
    """Run moto's server; yield its host and port."""
    port = _free_port()
    environment = os.environ | {"MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE)}
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _running(command, port, environment) as address:
        _request(address, "PUT", f"/{BUCKET}")
        yield address


def azurite_command() -> str | None:
    """Return how Azurite is started; None where it is not installed."""
    return shutil.which("azurite-blob", path=ROOT / ".azurite/node_modules/.bin") or shutil.which(
        "azurite-blob"
    )


@contextmanager
def azurite_server(command: str, folder: Path) -> Iterator[str]:
    """Run Azurite on files in a folder; yield its host and port."""
    port = _free_port()
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    flags = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    with _running([command, *options, *flags], port, os.environ) as address:
        _create_container(address)
        yield address


@contextmanager
def _running(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[str]:
    """Run a server until the block ends."""
    null = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=null, stderr=null) as process:
        try:
            _wait(process, port)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(1200):
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{process.args!r} does not answer")


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _request(
    address: str, method: str, path: str, headers: Mapping[str, str] | None = None
) -> None:
    connection = http.client.HTTPConnection(address)
    connection.request(method, path, headers=dict(headers or {}))
    answer = connection.getresponse()
    assert answer.status in {200, 201}, answer.read()
    answer.read()
    connection.close()


def _create_container(address: str) -> None:
    """Make the container, with a signature as Azure wants it: obstore makes none."""
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"x-ms-date": now, "x-ms-version": "2021-08-06"}
    resource = f"/{ACCOUNT}/{ACCOUNT}/{BUCKET}\nrestype:container"
    signed = "PUT" + "\n" * 12 + "".join(f"{k}:{v}\n" for k, v in headers.items()) + resource
    mac = hmac.new(base64.b64decode(ACCOUNT_KEY), signed.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(mac).decode()}"
    _request(address, "PUT", f"/{ACCOUNT}/{BUCKET}?restype=container", headers)
