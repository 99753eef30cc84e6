"""Can an address of the web lead a fetch into our own network, or hold it for ever?"""

import datetime
import gzip
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from tests.web_server import Reply, Site, serving
from workers.connectors import fetch as fetching
from workers.connectors.fetch import FetchError, RefusedAddressError, fetch, is_public, resolve

pytestmark = pytest.mark.security

Resolver = Callable[[dict[str, list[str]]], None]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as running:
        yield running


@pytest.fixture
def allowed(settings: Settings, site: Site) -> Site:
    """The site, which an operator has allowed."""
    settings.KB_ALLOWED_PRIVATE_HOSTS = ["127.0.0.1", "intranet.test"]
    settings.KB_FETCH_PORTS = [site.port]
    return site


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Gives names their addresses. Nothing else is looked up, so no test depends on a resolver."""

    def given_names(known: dict[str, list[str]]) -> None:
        def lookup(host: str, port: int, **_: object) -> list[object]:
            if host not in known:
                raise socket.gaierror(-2, "Name or service not known")
            return [(None, None, 0, "", (address, port)) for address in known[host]]

        monkeypatch.setattr(fetching.socket, "getaddrinfo", lookup)

    return given_names


def get(url: str, *, most_bytes: int = 1000, most_s: float = 10, **options: object) -> bytes:
    with fetch(url, most_bytes=most_bytes, most_s=most_s, **options) as answer:  # type: ignore[arg-type]
        return answer.read()


PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_within_is_refused_whatever_it_is_written_as(address: str, names: Resolver) -> None:
    assert not is_public(ipaddress.ip_address(address))
    names({"evil.test": [address]})
    with pytest.raises(RefusedAddressError, match="not public"):
        resolve("http://evil.test/")


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_not_refused(address: str, names: Resolver) -> None:
    names({"good.test": [address]})
    assert [str(found) for found in resolve("http://good.test/").addresses] == [
        str(ipaddress.ip_address(address))
    ]


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_is_more_public_in_ipv6_clothes(address: ipaddress.IPv4Address) -> None:
    assert is_public(ipaddress.IPv6Address(f"::ffff:{address}")) == is_public(address)
    if not is_public(address):
        assert not is_public(ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80)))


def test_one_address_within_among_public_ones_is_enough_to_refuse(names: Resolver) -> None:
    names({"mixed.test": ["1.1.1.1", "10.0.0.1"]})
    with pytest.raises(RefusedAddressError):
        resolve("http://mixed.test/")


@pytest.mark.parametrize(
    "url",
    ["http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://[::1]/"],
)
def test_odd_spellings_of_this_machine_are_refused(url: str) -> None:
    # The system's own resolver reads them, without asking anybody.
    with pytest.raises(FetchError):
        resolve(url)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://good.test/",
        "gopher://good.test/",
        "//good.test/",
        "http:///nowhere",
        "http://",
        "http://user:secret@good.test/",
        "http://user@good.test/",
        "http://good.test:22/",
        "http://good.test:6379/",
        "http://good.test:99999/",
        "http://[bad",
    ],
)
def test_only_plain_web_addresses_on_the_ports_of_the_web_are_fetched(url: str, names: Resolver) -> None:
    names({"good.test": ["1.1.1.1"]})
    with pytest.raises(RefusedAddressError):
        resolve(url)


def test_a_host_of_the_intranet_is_reached_when_the_operators_allow_it(
    allowed: Site, names: Resolver
) -> None:
    allowed.file("/a?b=1", "Words.")
    names({"intranet.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]})
    assert get(f"http://intranet.test:{allowed.port}/a?b=1#c") == b"Words."
    path, headers = allowed.asked[0]
    assert (path, headers["Host"]) == ("/a?b=1", f"intranet.test:{allowed.port}")
    with pytest.raises(RefusedAddressError):
        get(f"http://other.test:{allowed.port}/a?b=1")


def test_not_even_an_allowed_host_leads_to_a_clouds_credentials(settings: Settings, names: Resolver) -> None:
    settings.KB_ALLOWED_PRIVATE_HOSTS = ["intranet.test"]
    for address in ("169.254.169.254", "fe80::1", "::", "224.0.0.1", "::ffff:169.254.169.254"):
        names({"intranet.test": [address]})
        with pytest.raises(RefusedAddressError):
            resolve("http://intranet.test/")


def test_a_name_that_changes_its_address_after_the_check_is_not_asked_again(
    allowed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups: list[str] = []

    def rebinding(host: str, port: int, **_: object) -> list[object]:
        lookups.append(host)
        # Public at first, this machine from then on.
        return [(None, None, 0, "", ("1.1.1.1" if len(lookups) == 1 else "127.0.0.1", port))]

    connected: list[object] = []

    def refusing(_: socket.socket, address: object) -> None:
        connected.append(address)
        raise ConnectionRefusedError("not for real")

    monkeypatch.setattr(fetching.socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(fetching.socket.socket, "connect", refusing)
    with pytest.raises(FetchError):
        get(f"http://rebinding.test:{allowed.port}/")
    assert lookups == ["rebinding.test"]
    assert connected == [("1.1.1.1", allowed.port)]


def test_a_redirect_is_followed_through_the_same_door(allowed: Site, names: Resolver) -> None:
    names({"127.0.0.1": ["127.0.0.1"], "within.test": ["127.0.0.1"]})
    allowed.redirect("/a", "/b")
    allowed.file("/b", "There.")
    assert get(f"{allowed.url}/a") == b"There."
    for number, target in enumerate(
        [
            f"http://within.test:{allowed.port}/b",
            "http://127.0.0.1:1/",
            "file:///etc/passwd",
            "http://user:secret@127.0.0.1/",
        ]
    ):
        allowed.redirect(f"/{number}", target)
        with pytest.raises(RefusedAddressError):
            get(f"{allowed.url}/{number}")
    assert allowed.paths == ["/a", "/b", "/0", "/1", "/2", "/3"]


def test_a_loop_of_redirects_ends(allowed: Site) -> None:
    allowed.redirect("/a", "/a")
    with fetch(f"{allowed.url}/a", most_bytes=10, most_s=10) as answer:
        assert answer.status == 302
    assert len(allowed.asked) == 1 + fetching.MOST_REDIRECTS


def test_an_answer_larger_than_the_limit_is_broken_off(allowed: Site) -> None:
    allowed.file("/", b"x" * 2000)
    with pytest.raises(FetchError, match="larger than the limit"):
        get(f"{allowed.url}/")
    allowed.file("/", b"x" * 1000)
    assert len(get(f"{allowed.url}/")) == 1000


def test_what_unpacks_to_more_than_the_limit_is_broken_off(allowed: Site) -> None:
    allowed.pages["/"] = Reply(gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(FetchError, match="larger than the limit"):
        get(f"{allowed.url}/", most_bytes=100_000)
    allowed.pages["/"] = Reply(gzip.compress(b"Words."), headers={"Content-Encoding": "gzip"})
    assert get(f"{allowed.url}/") == b"Words."
    allowed.pages["/"] = Reply(gzip.compress(b"Words." * 99)[:-12], headers={"Content-Encoding": "gzip"})
    with pytest.raises(FetchError, match="broke off"):
        get(f"{allowed.url}/")


def test_half_an_answer_is_no_answer(allowed: Site) -> None:
    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"half")
        handler.close_connection = True

    allowed.pages["/"] = Reply(headers={"Content-Length": "8"}, write=half)
    with pytest.raises(FetchError, match="broke off"):
        get(f"{allowed.url}/")


@pytest.mark.parametrize("headers", [{"Content-Length": "1000"}, {"Connection": "close"}])
def test_a_server_that_trickles_is_cut_off_in_time(allowed: Site, headers: dict[str, str]) -> None:
    over = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        try:
            while not over.wait(0.02):
                handler.wfile.write(b"x")
        except OSError:
            pass
        handler.close_connection = True

    reply = Reply(headers=headers, write=trickle)
    if "Content-Length" not in headers:
        reply.headers["Content-Length"] = "1000000"
    allowed.pages["/"] = reply
    try:
        with pytest.raises(FetchError, match=r"too long|broke off"):
            get(f"{allowed.url}/", most_s=0.3, most_bytes=10**6)
    finally:
        over.set()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of intranet.test, trusted by whom SSL_CERT_FILE tells to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "intranet.test")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("intranet.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_the_certificate_is_asked_for_by_name_and_must_be_its_own(
    certificate: ssl.SSLContext, settings: Settings, names: Resolver
) -> None:
    names({"intranet.test": ["127.0.0.1"], "impostor.test": ["127.0.0.1"]})
    settings.KB_ALLOWED_PRIVATE_HOSTS = ["intranet.test", "impostor.test"]
    with serving(Site(), certificate) as site:
        settings.KB_FETCH_PORTS = [site.port]
        site.file("/", "Secret words.")
        assert get(f"https://intranet.test:{site.port}/") == b"Secret words."
        assert site.server_name == "intranet.test"
        with pytest.raises(FetchError, match="did not answer"):
            get(f"https://impostor.test:{site.port}/")
        assert len(site.asked) == 1
