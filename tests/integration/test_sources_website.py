"""Does a collection follow a website as far as it may, politely, and no further?"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from kb import sources
from kb.models import Asset, Collection, IngestRun, Source, SourceEntry, SourceState
from kb.permissions import Principal, Role, grant
from kb.source_settings import WebsiteSettings
from tests.integration.ingest import work_off
from tests.web_server import Reply, Site, serving
from workers.connectors import schedule, website
from workers.connectors.base import ConnectorError, Known
from workers.connectors.scan import Report
from workers.connectors.website import WebsiteConnector

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    with serving(Site()) as running:
        settings.KB_ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
        settings.KB_FETCH_PORTS = [running.port]
        yield running


@pytest.fixture
def manager(collection: Collection) -> User:
    user = User.objects.create_user("mia")
    grant(collection, Principal(user=user), Role.MANAGER)
    return user


def follow(site: Site, collection: Collection, manager: User, **options: Any) -> Source:
    settings = WebsiteSettings(**{"url": f"{site.url}/", "delay_s": 0.0, **options})
    return sources.make_source(manager, collection, name="Site", kind="website", settings=settings)


def scan(source: Source, manager: User) -> Report:
    sources.request_scan(manager, source)
    site_report = schedule.run(source.pk)
    source.refresh_from_db()
    assert site_report is not None, source.error
    work_off()
    return site_report


def crawl(site: Site, **options: Any) -> list[str]:
    """Paths of the entries."""
    settings = WebsiteSettings(**{"url": f"{site.url}/", "delay_s": 0.0, **options})
    return [entry.uri.removeprefix(site.url) for entry in WebsiteConnector(settings).entries({})]


def failure(site: Site, **options: Any) -> str:
    with pytest.raises(ConnectorError) as caught:
        crawl(site, **options)
    return str(caught.value)


def test_pages_and_files_behind_links_come_in_and_unchanged_ones_are_not_sent_again(
    site: Site, collection: Collection, manager: User
) -> None:
    site.page("/", "/pumps", "/manual.txt", "/program.zip", words="All about pumps.", ETag='"1"')
    site.page("/pumps", "/", "/seals", words="Pumps move water.", ETag='"2"')
    site.page("/seals", words="Seals leak.")
    site.file("/manual.txt", "How to mount it.", ETag='"3"')
    site.file("/program.zip", b"PK", "application/zip-of-nothing-known")
    source = follow(site, collection, manager)
    report = scan(source, manager)
    assert (report.added, report.problems) == (4, [])
    assert set(Asset.objects.values_list("source_uri", flat=True)) == {
        f"{site.url}/",
        f"{site.url}/pumps",
        f"{site.url}/seals",
        f"{site.url}/manual.txt",
    }

    site.asked.clear()
    again = scan(source, manager)
    assert (again.unchanged, again.added, again.changed, again.deleted) == (4, 0, 0, 0)
    asked = {path: headers.get("If-None-Match") for path, headers in site.asked}
    # Found through the links of a page that was not sent again.
    assert asked["/seals"] is None
    assert (asked["/"], asked["/pumps"], asked["/manual.txt"]) == ('"1"', '"2"', '"3"')
    assert IngestRun.objects.count() == 1


def test_a_changed_page_is_a_new_version_and_one_that_is_gone_goes(
    site: Site, collection: Collection, manager: User
) -> None:
    site.page("/", "/a", "/b")
    site.page("/a", words="First words.")
    site.page("/b", words="Other words.")
    source = follow(site, collection, manager)
    scan(source, manager)
    site.page("/a", words="Second words.")
    site.page("/", "/a")
    del site.pages["/b"]
    report = scan(source, manager)
    assert (report.changed, report.deleted) == (2, 1)
    assert Asset.objects.get(source_uri=f"{site.url}/a").version == 2
    assert not SourceEntry.objects.filter(uri=f"{site.url}/b").exists()


def test_a_server_error_deletes_neither_the_page_nor_what_lies_behind_it(
    site: Site, collection: Collection, manager: User
) -> None:
    site.page("/", "/a", "/c")
    site.page("/a", "/b")
    site.page("/b")
    site.page("/c")
    source = follow(site, collection, manager)
    scan(source, manager)
    site.pages["/a"] = Reply(status=503)
    site.pages["/c"] = Reply(status=410)
    report = scan(source, manager)
    # Only the page that says itself that it is gone.
    assert report.deleted == 1
    assert set(SourceEntry.objects.values_list("uri", flat=True)) == {
        f"{site.url}{p}" for p in ("/", "/a", "/b")
    }
    assert report.problems == [f"{site.url}/a: the server answered with status 503"]


def test_a_site_that_does_not_answer_fails_by_name_and_loses_nothing(
    site: Site, collection: Collection, manager: User
) -> None:
    site.page("/")
    source = follow(site, collection, manager)
    scan(source, manager)
    site.pages["/"] = Reply(status=500)
    sources.request_scan(manager, source)
    assert schedule.run(source.pk) is None
    source.refresh_from_db()
    assert (source.state, "status 500" in source.error) == (SourceState.FAILED, True)
    assert Asset.objects.count() == 1


def test_only_the_one_host_and_port_is_asked(site: Site, settings: Settings) -> None:
    with serving(Site()) as other:
        settings.KB_FETCH_PORTS = [site.port, other.port]
        site.page("/", f"{other.url}/", f"http://localhost:{site.port}/x", "/here", "ftp://127.0.0.1/")
        site.page("/here")
        other.page("/")
        assert crawl(site) == ["/", "/here"]
        assert other.asked == []
        assert all(headers["Host"].startswith("127.0.0.1") for _, headers in site.asked)


def test_a_redirect_into_our_own_network_is_not_followed(site: Site, settings: Settings) -> None:
    with serving(Site()) as within:
        within.page("/", words="Secret.")
        site.page("/", "/away", "/inside", "/moved")
        site.redirect("/away", f"http://localhost:{within.port}/")
        site.redirect("/inside", f"{within.url}/")
        site.redirect("/moved", "/there")
        site.page("/there")
        assert crawl(site) == ["/", "/there"]
        assert within.asked == []
        # Nor when the file that says what may be asked for leads there.
        site.redirect("/robots.txt", f"{within.url}/")
        assert crawl(site) == ["/", "/there"]
        assert within.asked == []


def test_robots_txt_is_obeyed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.page("/", "/open", "/closed/x", "/ours")
    for path in ("/open", "/closed/x", "/ours"):
        site.page(path)
    site.file("/robots.txt", "User-agent: *\nDisallow: /closed/\nCrawl-delay: 7\n")
    waited: list[float] = []
    monkeypatch.setattr(website.time, "sleep", waited.append)
    assert crawl(site) == ["/", "/open", "/ours"]
    assert "/closed/x" not in site.paths
    assert len(waited) == 2
    assert all(6 < wait <= 7 for wait in waited)
    site.file("/robots.txt", "User-agent: kb-connector\nDisallow: /ours\n\nUser-agent: *\nDisallow: /\n")
    assert crawl(site) == ["/", "/open", "/closed/x"]
    site.file("/robots.txt", "User-agent: *\nDisallow: /\n")
    assert "not open to us" in failure(site)


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_site_that_does_not_show_its_robots_txt_is_not_crawled(site: Site, status: int) -> None:
    site.page("/")
    site.pages["/robots.txt"] = Reply(status=status)
    assert "robots.txt" in failure(site)
    assert site.paths == ["/robots.txt"]


def test_a_page_may_ask_not_to_be_kept_or_followed(site: Site) -> None:
    site.page("/", "/hidden")
    site.pages["/hidden"] = Reply(
        '<meta name="robots" content="noindex,follow"><a href="/behind">x</a>',
        headers={"Content-Type": "text/html"},
    )
    site.page("/behind")
    assert crawl(site) == ["/", "/behind"]


def test_depth_pages_and_path_are_bounded(site: Site) -> None:
    for depth in range(6):
        site.page(f"/{depth}" if depth else "/", f"/{depth + 1}", f"/{depth + 1}?again")
    assert crawl(site, max_depth=2) == ["/", "/1", "/2"]
    connector = WebsiteConnector(WebsiteSettings(url=f"{site.url}/", delay_s=0, max_pages=2))
    assert len(list(connector.entries({}))) == 2
    assert not connector.is_gone(f"{site.url}/5")
    site.page("/docs/", "/docs/a", "/b", "../b")
    site.page("/docs/a")
    assert crawl(site, url=f"{site.url}/docs/", path_prefix="/docs/") == ["/docs/", "/docs/a"]


def test_a_start_that_moved_to_another_host_says_where(site: Site) -> None:
    site.redirect("/", "https://www.example.org/")
    assert "https://www.example.org/" in failure(site)


def sitemap(*urls: str, index: bool = False) -> str:
    kind, entry = ("sitemapindex", "sitemap") if index else ("urlset", "url")
    return f"<{kind}>" + "".join(f"<{entry}><loc>{url}</loc></{entry}>" for url in urls) + f"</{kind}>"


def test_a_sitemap_says_what_there_is_and_links_are_not_followed(site: Site) -> None:
    site.file("/sitemap.xml", sitemap(f"{site.url}/one.xml", index=True), "text/xml")
    site.file("/one.xml", sitemap(f"{site.url}/a", f"{site.url}/b.txt", "http://elsewhere.test/"), "text/xml")
    site.page("/a", "/not-listed")
    site.page("/not-listed")
    site.file("/b.txt", "Words.")
    assert crawl(site, sitemap=f"{site.url}/sitemap.xml") == ["/a", "/b.txt"]


def test_a_sitemap_that_fails_fails_the_scan(site: Site) -> None:
    assert "status 404" in failure(site, sitemap=f"{site.url}/sitemap.xml")
    site.file("/sitemap.xml", "<!DOCTYPE x [<!ENTITY y 'z'>]><urlset></urlset>", "text/xml")
    assert "document type" in failure(site, sitemap=f"{site.url}/sitemap.xml")


def test_what_is_worth_another_try_is_asked_for_in_full(site: Site) -> None:
    site.page("/", ETag='"1"')
    connector = WebsiteConnector(WebsiteSettings(url=f"{site.url}/", delay_s=0))
    (entry,) = connector.entries({f"{site.url}/": Known("")})
    with entry.open() as stream:
        assert b"<h1>" in stream.read()


def test_an_intranet_that_nobody_allowed_is_not_reached(site: Site, settings: Settings) -> None:
    settings.KB_ALLOWED_PRIVATE_HOSTS = []
    site.page("/")
    assert "KB_ALLOWED_PRIVATE_HOSTS" in failure(site)
    assert site.asked == []
