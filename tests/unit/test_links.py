"""Are the links of a page and the pages of a sitemap found, and do hostile ones cost no more than their length?"""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.connectors import links
from workers.connectors.links import SitemapError, normal, read_page, read_sitemap

HERE = "https://a.test/docs/index.html"


def found(html: str) -> list[str]:
    return read_page(html.encode(), HERE).links


def test_links_are_absolute_without_their_fragments_and_once_each() -> None:
    assert found(
        """<A HREF='next.html'>1</a> <a class=x href=/top?q=1&amp;r=2>2</a> <a href="next.html#part">3</a>
        <a href="//b.test/x">4</a> <area href="map.html"> <a name="x">no</a> <a data-href="no">no</a>"""
    ) == [
        "https://a.test/docs/next.html",
        "https://a.test/top?q=1&r=2",
        "https://b.test/x",
        "https://a.test/docs/map.html",
    ]


def test_the_base_of_a_page_counts() -> None:
    assert found('<base href="/other/"><a href="x">x</a>') == ["https://a.test/other/x"]


def test_what_is_no_markup_holds_no_links() -> None:
    assert found(
        "<!-- <a href=a> --><script>'<a href=b>'</script><textarea><a href=c></textarea><a href=d>"
    ) == ["https://a.test/docs/d"]
    assert found("<a href=a><!-- <a href=b>") == ["https://a.test/docs/a"]


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", "mailto:x@a.test", "file:///etc", "http://u:p@a.test/", "http://[x", "x\n\0"],
)
def test_what_cannot_be_fetched_is_no_link(href: str) -> None:
    assert found(f'<a href="{href}">x</a>') == []


def test_a_page_says_who_may_index_and_follow() -> None:
    page = read_page(b'<meta name="Robots" content="NOINDEX, nofollow"><a href="x">x</a>', HERE)
    assert (page.may_index, page.may_follow, page.links) == (False, False, [])
    assert found('<a rel="ugc nofollow" href="x">x</a>') == []
    assert read_page(b"<p>Words.", HERE).may_index


def test_the_normal_form_of_an_address() -> None:
    assert normal("HTTP://A.Test:80#x") == "http://a.test/"
    assert normal("https://a.test:8443/x") == "https://a.test:8443/x"
    assert normal("http://a.test/" + "x" * links.LONGEST_URL) == ""


@pytest.mark.parametrize(
    "hostile", ["<!--", "<a ", "<a href", "<a href=", "<script>", "<a x=", "<a \"'", "a=" * 3 + "<a "]
)
def test_a_megabyte_of_anything_is_read_in_no_time(hostile: str) -> None:
    # What took a time in proportion to the square would not end within the test's patience.
    read_page((hostile * (1_000_000 // len(hostile))).encode(), HERE)


@given(st.text(alphabet="<>a href='\"=/!-scriptmeta\n", max_size=200))
def test_no_page_breaks_the_reader(text: str) -> None:
    assert all(link.startswith("http") for link in found(text))


def test_a_sitemap_lists_pages_and_an_index_lists_sitemaps() -> None:
    pages = b"""<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
    <url><loc> https://a.test/1 </loc><lastmod>2025-01-01</lastmod></url>
    <url><loc>https://a.test/?a=1&amp;b=2</loc></url></urlset>"""
    assert read_sitemap(pages) == (["https://a.test/1", "https://a.test/?a=1&b=2"], [])
    assert read_sitemap(gzip.compress(pages)) == read_sitemap(pages)
    index = b"<sitemapindex><sitemap><loc>https://a.test/s.xml</loc></sitemap></sitemapindex>"
    assert read_sitemap(index) == ([], ["https://a.test/s.xml"])


BOMB = """<!DOCTYPE urlset [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<urlset><url><loc>&b;</loc></url></urlset>"""
EXTERNAL = '<!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/passwd">]><urlset><url><loc>&x;</loc></url></urlset>'


@pytest.mark.parametrize(
    "content", [BOMB, EXTERNAL, "<html><body>Not found", "<urlset><url>", "", "<rss></rss>"]
)
def test_what_is_no_plain_sitemap_is_refused(content: str) -> None:
    with pytest.raises(SitemapError):
        read_sitemap(content.encode())


def test_a_sitemap_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_SITEMAP_BYTES", 10_000)
    with pytest.raises(SitemapError, match="unpacks to more"):
        read_sitemap(gzip.compress(bytes(1_000_000)))
