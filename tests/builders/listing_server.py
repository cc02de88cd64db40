"""A server that lists one object as S3 would, with whatever date and size it is told to say."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

__all__ = ["listing_server"]

_BODY: Final = (
    "<ListBucketResult><Name>bucket</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>"
    "<Contents><Key>a.txt</Key><LastModified>{date}</LastModified><ETag>x</ETag>"
    "<Size>{size}</Size></Contents></ListBucketResult>"
)


@contextmanager
def listing_server(date: str, size: str = "3") -> Iterator[str]:
    """Run such a server; yield the URL of its bucket."""
    body = _BODY.format(date=date, size=size).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/bucket/"
        finally:
            server.shutdown()
