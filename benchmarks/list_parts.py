"""A bucket whose answers take a tenth of a second: how long to list it serially, and in parts?

From the command line::

    python -m benchmarks.list_parts --keys 1000000 [--late 0.1] [--serially]

A process of its own says what S3 would say of so many keys, 1,000 an answer, each answer late; the
splits are those that a synced folder takes from its listing before. No object is made.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

from labelingest.columns.keys import Keys
from labelingest.storage import Connection, list_all, open_storage
from labelingest.storage.cloud.list_parts import splits_of

_ANSWER: Final = 1_000
_FOLDER: Final = "bucket/drive/"
_PREFIX: Final = "drive/"
_BEGIN: Final = '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>'
_TAIL: Final = (
    "</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    "<ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>1</Size></Contents>"
)


def _key(number: int) -> str:
    return f"images/{number // 10_000:06}/{number:010}.jpg"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20  # headers and body leave together
    keys = 0
    late = 0.0

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        after = (query.get("continuation-token") or query.get("start-after") or [""])[0]
        name = after.rpartition("/")[2].partition(".")[0]
        first = int(name) + 1 if name.isdigit() else 0
        end = min(first + _ANSWER, self.keys)
        rows = [f"<Contents><Key>{_PREFIX}{_key(n)}{_TAIL}" for n in range(first, end)]
        more = ""
        if end < self.keys:
            token = _PREFIX + _key(end - 1)
            more = f"<NextContinuationToken>{token}</NextContinuationToken>"
        answer = f"{_BEGIN}{''.join(rows)}{more}</ListBucketResult>".encode()
        time.sleep(self.late)
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _serve(keys: int, late: float) -> None:
    _Handler.keys, _Handler.late = keys, late
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def _list(port: int, keys: int, serially: bool) -> None:
    os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "NO_PROXY": "127.0.0.1"}
    connection = Connection(
        endpoint=f"http://127.0.0.1:{port}", region="us-east-1", allow_http=True
    )
    storage = open_storage(f"s3://{_FOLDER}", connection=connection)
    splits = () if serially else splits_of(Keys.from_texts(map(_key, range(keys))))
    started, used = time.perf_counter(), time.process_time()
    listing = list_all(storage, splits=splits)
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    if len(listing) != keys or not listing.keys.are_in_order():
        raise RuntimeError(f"{len(listing):,} keys were listed")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{keys:,} keys in {len(splits) + 1} parts: {seconds:.1f} s, of which the processor worked "
        f"{processor:.1f} s; at most {peak:,.0f} MB"
    )


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.list_parts")
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--late", type=float, default=0.1, help="seconds until an answer begins")
    parser.add_argument("--serially", action="store_true")
    parser.add_argument("--serve", action="store_true", help="be the bucket")
    chosen = parser.parse_args()
    if chosen.serve:
        _serve(chosen.keys, chosen.late)
        return
    words = ["--keys", str(chosen.keys), "--late", str(chosen.late), "--serve"]
    command = [sys.executable, "-m", "benchmarks.list_parts", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bucket:
        try:
            assert bucket.stdout is not None
            _list(int(bucket.stdout.readline()), chosen.keys, chosen.serially)
        finally:
            bucket.terminate()


if __name__ == "__main__":
    _main()
