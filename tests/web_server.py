"""A web server on 127.0.0.1 that answers as a test says and remembers what it was asked."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    # Instead of the body: writes to the socket what it likes.
    write: Callable[[BaseHTTPRequestHandler], None] | None = None


@dataclass
class Site:
    """What is at each path, and the requests that came: (path, headers)."""

    pages: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0
    # Of the last TLS handshake.
    server_name: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page(self, path: str, *links: str, words: str = "", **headers: str) -> None:
        anchors = "".join(f'<p><a href="{link}">{link}</a></p>' for link in links)
        body = f"<!doctype html><title>{path}</title><h1>{path}</h1><p>{words or path}</p>{anchors}"
        self.pages[path] = Reply(body, headers={"Content-Type": "text/html; charset=utf-8"} | _named(headers))

    def file(self, path: str, content: bytes | str, media_type: str = "text/plain", **headers: str) -> None:
        self.pages[path] = Reply(content, headers={"Content-Type": media_type} | _named(headers))

    def redirect(self, path: str, to: str) -> None:
        self.pages[path] = Reply(status=302, headers={"Location": to})

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@contextmanager
def serving(site: Site, certificate: ssl.SSLContext | None = None) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            reply = site.pages.get(self.path, Reply(b"Not here.", 404))
            body = reply.body.encode() if isinstance(reply.body, str) else reply.body
            etag = reply.headers.get("ETag")
            if etag and self.headers.get("If-None-Match") == etag:
                reply, body = Reply(status=304, headers={"ETag": etag}), b""
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if reply.write is not None:
                reply.write(self)
            else:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:

        def note_name(_: object, name: str | None, __: object) -> None:
            site.server_name = name

        certificate.sni_callback = note_name  # type: ignore[assignment]
        server.socket = certificate.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
