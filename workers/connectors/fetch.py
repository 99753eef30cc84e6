"""How is an address of the web fetched without being led into our own network?

A host is resolved once; every address that it has must be public, and the connection goes to one of exactly these,
so a name that answers differently a moment later gains nothing. Host header and certificate are still those of the
name. Each redirect goes through the same door. Proxies of the environment are not used.
"""

import http.client
import ipaddress
import os
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from urllib.parse import quote, urljoin, urlsplit

import certifi
from django.conf import settings

from workers.connectors.base import EntryError

AGENT = "kb-connector"
# Browsers stop at 20; who needs more than five has a loop or something to hide.
MOST_REDIRECTS = 5
# Between two bytes, and for a connection; a server slower than that is down.
QUIET_S = 20.0
_CHUNK_BYTES = 64 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchError(EntryError):
    """The address could not be fetched."""


class RefusedAddressError(FetchError):
    """The address leads where this server must not go."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the name, for the server, and the addresses that it had when it was checked."""

    scheme: str
    host: str
    port: int
    # Path and query.
    resource: str
    addresses: tuple[IpAddress, ...]

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _DEFAULT_PORTS[self.scheme] else f"{name}:{self.port}"


class Answer:
    """What came back. `read` raises FetchError past the size or time that was set."""

    def __init__(
        self, url: str, response: http.client.HTTPResponse, most_bytes: int, deadline: float
    ) -> None:
        self.url = url
        self.status = response.status
        self.headers = response.headers
        self._response, self._left, self._deadline = response, most_bytes, deadline
        # Nobody asked for it, but some servers have nothing else. The cap below counts what comes out.
        encoding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise FetchError(f"The server sends an encoding that was not asked for: {encoding[:40]}.")
        self._unpack = None if encoding in ("", "identity") else zlib.decompressobj(wbits=47)
        self._packed = b""

    @property
    def media_type(self) -> str:
        return self.headers.get_content_type() if "Content-Type" in self.headers else ""

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, fewer at the end; all of them without a size."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_CHUNK_BYTES), b""))
        if monotonic() > self._deadline:
            raise FetchError("The server took too long.")
        try:
            data = self._raw(size) if self._unpack is None else self._unpacked(self._unpack, size)
        except (OSError, http.client.HTTPException, zlib.error, ValueError) as error:
            # ValueError: the watchdog closed the connection under our feet.
            raise FetchError(f"The answer broke off: {_reason(error)}") from error
        if monotonic() > self._deadline:  # Cut off, which looks like an end.
            raise FetchError("The server took too long.")
        self._left -= len(data)
        if self._left < 0:
            raise FetchError("The answer is larger than the limit.")
        return data

    def _raw(self, size: int) -> bytes:
        data = self._response.read(size)
        if not data and self._response.length:
            raise http.client.IncompleteRead(b"", self._response.length)
        return data

    def _unpacked(self, unpack: "zlib._Decompress", size: int) -> bytes:
        while not unpack.eof:
            more = self._packed or self._raw(_CHUNK_BYTES)
            data = unpack.decompress(more, size)
            self._packed = unpack.unconsumed_tail
            if data:
                return data
            if not more:
                raise zlib.error("it ends in the middle")
        return b""


@contextmanager
def fetch(
    url: str,
    *,
    most_bytes: int,
    most_s: float,
    headers: Mapping[str, str] | None = None,
    redirects: int = MOST_REDIRECTS,
    may_follow: Callable[[str], bool] = lambda _: True,
) -> Iterator[Answer]:
    """GETs `url`. With no redirects left, or none that `may_follow`, the redirect itself is the answer.

    Raises FetchError, of which RefusedAddressError says that the request was not even made.
    """
    deadline = monotonic() + most_s
    while True:
        with _requested(resolve(url), headers or {}, deadline) as response:
            location = response.headers.get("Location", "")
            following = response.status in (301, 302, 303, 307, 308) and bool(location)
            target = urljoin(url, location) if following else ""
            if not following or redirects <= 0 or not may_follow(target):
                yield Answer(url, response, most_bytes, deadline)
                return
        url, redirects = target, redirects - 1


def resolve(url: str) -> Target:
    """The host's addresses, all of them checked. Raises FetchError."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".").lower()
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError) as error:
        raise RefusedAddressError("This is no web address.") from error
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise RefusedAddressError("Only http and https addresses are fetched.")
    if parts.username is not None or parts.password is not None:
        raise RefusedAddressError("Addresses with a password in them are not fetched.")
    port = _DEFAULT_PORTS[parts.scheme] if port is None else port
    if port not in (80, 443, *settings.KB_FETCH_PORTS):
        raise RefusedAddressError(f"Port {port} is not fetched from; KB_FETCH_PORTS can allow it.")
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not resource.isascii() or any(character <= " " or character == "\x7f" for character in resource):
        resource = _quoted(resource)
    addresses = _addresses(host, port)
    is_known = host in {name.rstrip(".").lower() for name in settings.KB_ALLOWED_PRIVATE_HOSTS}
    for address in addresses:
        # One is enough: no honest name of the public web has an address within.
        if not is_public(address) and not (is_known and _is_intranet(address)):
            raise RefusedAddressError(
                f"{host} has an address that is not public. If it is the company's own, the operators can add "
                "it to KB_ALLOWED_PRIVATE_HOSTS."
            )
    return Target(parts.scheme, host, port, resource, addresses)


def is_public(address: IpAddress) -> bool:
    """Whether anybody on the internet could reach the same host there."""
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _NAT64):
            return False  # A gateway's way of writing an IPv4 address, ours included.
        for embedded in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())):
            if embedded is not None and not is_public(embedded):
                return False
        if address.ipv4_mapped is not None:
            return True
        if address.is_site_local:
            return False
    return address.is_global and not (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )


def _is_intranet(address: IpAddress) -> bool:
    """Private, or this machine; link-local is left out, since clouds hand out their credentials there."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return _is_intranet(address.ipv4_mapped)
    outside = address.is_link_local or address.is_multicast or address.is_unspecified
    return not outside and (address.is_private or address.is_loopback)


def _addresses(host: str, port: int) -> tuple[IpAddress, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError(f"The host {host} is not known.") from error
    # An address with a zone (fe80::1%eth0) is link-local, and is refused with or without it.
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    if not texts:
        raise FetchError(f"The host {host} has no address.")
    return tuple(ipaddress.ip_address(text) for text in texts)


class _Pinned(http.client.HTTPConnection):
    """Connects to the addresses of the target, not to what its name may mean by now."""

    def __init__(self, target: Target, deadline: float) -> None:
        super().__init__(target.host, target.port, timeout=QUIET_S)
        self._target, self._deadline = target, deadline
        self.wire: socket.socket | None = None

    def connect(self) -> None:
        failure: OSError = TimeoutError("no address answered in time")
        for address in self._target.addresses:
            left = min(QUIET_S, self._deadline - monotonic())
            if left <= 0:
                break
            # Not create_connection: it would ask the resolver again.
            wire = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
            try:
                wire.settimeout(left)
                wire.connect((str(address), self._target.port))
            except OSError as error:
                wire.close()
                failure = error
                continue
            # http.client lets go of its own at the head of an answer that ends with the connection.
            self.sock = self.wire = wire
            if self._target.scheme == "https":
                # For the name: its certificate is asked for and must be its own.
                self.sock = self.wire = _tls().wrap_socket(wire, server_hostname=self._target.host)
            self.wire.settimeout(QUIET_S)
            return
        raise failure


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())


@contextmanager
def _requested(
    target: Target, headers: Mapping[str, str], deadline: float
) -> Iterator[http.client.HTTPResponse]:
    connection = _Pinned(target, deadline)
    # The timeout of a socket starts anew with each byte; this is the one that a trickle of them cannot put off.
    watchdog = threading.Timer(max(deadline - monotonic(), 0.01), _cut, [connection])
    watchdog.daemon = True
    watchdog.start()
    try:
        try:
            connection.connect()
            connection.putrequest("GET", target.resource, skip_host=True, skip_accept_encoding=True)
            sent = {
                "Host": target.host_header,
                "User-Agent": AGENT,
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "Connection": "close",
                **headers,
            }
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchError(f"{target.host} did not answer: {_reason(error)}") from error
        try:
            yield response
        finally:
            response.close()
    finally:
        watchdog.cancel()
        connection.close()


def _cut(connection: _Pinned) -> None:
    if connection.wire is not None:
        with suppress(OSError):  # It had ended by itself.
            connection.wire.shutdown(socket.SHUT_RDWR)


def _quoted(resource: str) -> str:
    return quote(resource, safe="%/:=&?~#+!$,;'@()*[]")


def _reason(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
