"""A proxy in front of a storage server: counts requests, and answers some as a bad day would."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit


class Request(NamedTuple):
    method: str
    path: str

    @property
    def lists(self) -> bool:
        """Whether it asks for a page of a listing."""
        query = parse_qs(urlsplit(self.path).query)
        return self.method == "GET" and ("list-type" in query or query.get("comp") == ["list"])

    @property
    def reads(self) -> bool:
        return self.method == "GET" and not self.lists


class Fault(Enum):
    """What may go wrong besides an error status."""

    SILENCE = auto()
    """No answer until the client gives up."""
    LATE = auto()
    """The right answer, after a while."""
    TRUNCATED = auto()
    """Half of the body, then the connection ends."""
    REPEATED = auto()
    """The answer to the listing request before, once more."""


@dataclass
class _Rule:
    applies: Callable[[Request], bool]
    fault: Fault | int
    times: int
    after: int


@dataclass
class FaultyProxy:
    """A running proxy; `url` is what clients are given."""

    upstream: str
    """Host and port of the server behind it."""
    requests: list[Request] = field(default_factory=list)
    """All that came, in order."""
    most_at_once: int = 0
    """How many were under way at the same time."""
    on_read: Callable[[Request], object] = lambda _: None
    """Told of each request that reads a file before the server is asked."""
    tamper: Callable[[Request, bytes], bytes] = lambda _, body: body
    """Given each page of a listing; returns what is answered instead."""
    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: threading.Event = field(default_factory=threading.Event)
    _page: bytes = b""
    _under_way: int = 0
    url: str = ""

    def fail(
        self,
        applies: Callable[[Request], bool],
        fault: Fault | int,
        *,
        times: int = 1,
        after: int = 0,
    ) -> None:
        """Answer requests of a kind wrongly: so many times, after so many of them went well."""
        self._rules.append(_Rule(applies, fault, times, after))

    def count(self, applies: Callable[[Request], bool]) -> int:
        """Return how many requests of a kind came."""
        return sum(map(applies, self.requests))

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Count what is under way while the block runs."""
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def fault_for(self, request: Request) -> Fault | int | None:
        """Note a request; return what is to go wrong with it."""
        with self._lock:
            self.requests.append(request)
            for rule in self._rules:
                if rule.applies(request):
                    if rule.after:
                        rule.after -= 1
                    elif rule.times:
                        rule.times -= 1
                        return rule.fault
        return None


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    truncated: bool = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def take(self) -> None:
        # A client that has its answer may send the next request at once: the count ends before.
        with self.proxy.under_way():
            answer = self.answer()
        if answer is None:
            self.close_connection = True
        else:
            self._send(answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = take  # noqa: N815 - the base's names

    def answer(self) -> _Answer | None:
        """Return the answer to the request; None to close the connection without one."""
        request = Request(self.command, self.path)
        fault = self.proxy.fault_for(request)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if isinstance(fault, int):
            return _Answer(fault, [("Retry-After", "0")], b"<Error><Code>SlowDown</Code></Error>")
        if fault in {Fault.SILENCE, Fault.LATE}:
            self.proxy._closed.wait(30 if fault is Fault.SILENCE else 0.3)
        if fault is Fault.SILENCE:
            return None
        if request.reads:
            self.proxy.on_read(request)
        upstream = http.client.HTTPConnection(self.proxy.upstream, timeout=60)
        try:
            upstream.request(self.command, self.path, content or None, dict(self.headers.items()))
            response = upstream.getresponse()
            body = response.read()
        finally:
            upstream.close()
        body = self._page(request, fault, body)
        return _Answer(response.status, response.getheaders(), body, fault is Fault.TRUNCATED)

    def _page(self, request: Request, fault: Fault | int | None, body: bytes) -> bytes:
        """Keep the page of a listing for the next one, or give the one that was kept."""
        if not request.lists:
            return body
        if fault is Fault.REPEATED:
            return self.proxy._page
        self.proxy._page = body
        return self.proxy.tamper(request, body)

    def _send(self, answer: _Answer) -> None:
        length = str(len(answer.body))
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            elif name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            body = answer.body
            self.wfile.write(body[: len(body) // 2] if answer.truncated else body)
        self.close_connection = self.close_connection or answer.truncated

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what came is counted."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """Run a proxy in a thread in front of a server, given as its host and port."""
    proxy = FaultyProxy(upstream)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = _Server(("127.0.0.1", 0), handler)
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        proxy._closed.set()
        server.shutdown()
        thread.join()
        server.server_close()
