"""Does a message tell who wrote what to whom, and give its attachments, however it was written and stored?"""

from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders
from workers.extract import limits, mail, mbox
from workers.extract.base import Extraction, ExtractionError, Source


def _read(tmp_path: Path, content: bytes, *, part: int = 0) -> Extraction:
    path = tmp_path / "file"
    path.write_bytes(content)
    scratch = tmp_path / f"scratch-{part}"
    scratch.mkdir(exist_ok=True)
    return mail.extract(Source(path, "file.eml", "message/rfc822", part, scratch))


def _read_box(tmp_path: Path, content: bytes) -> Extraction:
    path = tmp_path / "file"
    path.write_bytes(content)
    scratch = tmp_path / "scratch-0"
    scratch.mkdir(exist_ok=True)
    return mbox.extract(Source(path, "all.mbox", "application/mbox", 0, scratch))


def _words(found: Extraction) -> list[str]:
    return [block.text for block in found.blocks]


def _contents(tmp_path: Path, found: Extraction) -> dict[str, bytes]:
    return {member.path: (tmp_path / "scratch-0" / member.file).read_bytes() for member in found.members}


def a_message(body: str = "The text.", subject: str = "The subject") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "Ana Müller <ana@example.org>"
    message["To"] = "Bo <bo@example.org>, cy@example.org"
    message["Cc"] = "Di <di@example.org>"
    message["Date"] = "Fri, 17 May 2024 10:30:00 +0200"
    message.set_content(body)
    return message


def test_headers_and_text_are_told(tmp_path: Path) -> None:
    found = _read(tmp_path, a_message("First paragraph.\n\nSecond\nparagraph.").as_bytes())
    assert found.title == "The subject"
    assert [(block.role, block.text) for block in found.blocks] == [
        ("heading", "The subject"),
        (
            "note",
            "From: Ana Müller <ana@example.org>\nTo: Bo <bo@example.org>, cy@example.org\n"
            "Cc: Di <di@example.org>\nDate: 2024-05-17 10:30",
        ),
        ("paragraph", "First paragraph."),
        ("paragraph", "Second\nparagraph."),
    ]
    assert found.metadata["sent_at"] == "2024-05-17T10:30:00+02:00"
    assert found.metadata["from"] == "Ana Müller <ana@example.org>"


def test_the_plain_form_of_a_text_is_preferred_to_the_other(tmp_path: Path) -> None:
    message = a_message("The plain form.")
    message.add_alternative("<p>The rich form.</p>", subtype="html")
    assert "The plain form." in _words(_read(tmp_path, message.as_bytes()))
    message = a_message(" \n")
    message.add_alternative(
        "<h1>Offer</h1><script>steal()</script><p>The rich form.</p><img src='https://example.org/spy.png'>",
        subtype="html",
    )
    words = _words(_read(tmp_path, message.as_bytes()))
    assert words[-2:] == ["Offer", "The rich form."]
    assert "steal" not in " ".join(words)


def test_attachments_are_members_by_their_last_name(tmp_path: Path) -> None:
    message = a_message()
    for name in ("plan.pdf", "../../etc/passwd", "C:\\Users\\ana\\notes.txt", "报价.txt", "plan.pdf"):
        message.add_attachment(name.encode(), maintype="application", subtype="pdf", filename=name)
    message.add_attachment(b"nameless", maintype="image", subtype="png")
    found = _read(tmp_path, message.as_bytes())
    assert _contents(tmp_path, found) == {
        "plan.pdf": b"plan.pdf",
        "passwd": b"../../etc/passwd",
        "notes.txt": b"C:\\Users\\ana\\notes.txt",
        "报价.txt": "报价.txt".encode(),
        "plan (2).pdf": b"plan.pdf",
        "attachment.png": b"nameless",
    }
    assert "plan.pdf" in found.blocks[-1].text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "scratch-0"]


def test_a_message_in_a_message_is_a_member(tmp_path: Path) -> None:
    inner = a_message("The inner text.", "Re: who / what?")
    outer = a_message()
    outer.add_attachment(inner)
    found = _read(tmp_path, outer.as_bytes())
    ((name, content),) = _contents(tmp_path, found).items()
    assert name == "Re who what.eml"
    again = _read(tmp_path, content)
    assert again.title == "Re: who / what?"
    assert "The inner text." in _words(again)
    assert "The inner text." not in _words(found)


def test_pictures_in_the_text_are_figures_where_they_stand(tmp_path: Path) -> None:
    message = a_message("")
    message.set_content(
        "<p>Look at the pump:</p><img src='cid:pump@x' alt='The pump'><p>It leaks.</p>", subtype="html"
    )
    message.add_related(builders.picture(size=(200, 100)), "image", "png", cid="<pump@x>")
    message.add_related(builders.picture(size=(120, 90)), "image", "png", cid="<unseen@x>")
    found = _read(tmp_path, message.as_bytes())
    assert [(picture.alt_text, picture.width_px) for picture in found.pictures] == [
        ("The pump", 200),
        ("", 120),
    ]
    assert "Look at the pump:" in found.pictures[0].context
    assert not found.members


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (b"Subject: =?utf-8?b?5oql5Lu35Y2V?=\n\ntext", "报价单"),
        ("Subject: 报价单\n\ntext".encode(), "报价单"),
        ("Subject: 报价单的会议在我们的公司\n\ntext".encode("gb18030"), "报价单的会议在我们的公司"),
        (b"Subject: =?no-such-charset?q?plain?=\n\ntext", "plain"),
        (b"Subject: =?utf-8?b?broken\n\ntext", "=?utf-8?b?broken"),
        (b"Subject: folded\n over two lines\n\ntext", "folded over two lines"),
        (b"\xef\xbb\xbfSubject: marked\n\ntext", "marked"),
        ("Subject: wide\n\ntext".encode("utf-16"), "wide"),
        (b"text without any header", ""),
    ],
)
def test_headers_are_read_however_they_are_written(tmp_path: Path, raw: bytes, subject: str) -> None:
    found = _read(tmp_path, raw)
    assert found.title == subject
    assert "text" in found.blocks[-1].text


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2025-07-29T12:42:06Z", "2025-07-29T12:42:06+00:00"),
        ("Tue, 29 Jul 2025 12:42:06 -0000", "2025-07-29T12:42:06"),
        ("yesterday", None),
        ("Tue, 99 Jul 99999999999999999999 12:42:06 +9999", None),
    ],
)
def test_odd_dates_never_keep_a_message_out(tmp_path: Path, date: str, moment: str | None) -> None:
    assert _read(tmp_path, f"Subject: x\nDate: {date}\n\ntext".encode()).metadata.get("sent_at") == moment


def test_an_encrypted_message_says_so(tmp_path: Path) -> None:
    raw = (
        b"Subject: secret\nMIME-Version: 1.0\nContent-Type: multipart/encrypted; boundary=b\n\n"
        b"--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b--\n"
    )
    assert [warning.code for warning in _read(tmp_path, raw).warnings] == ["encrypted"]


def test_attachments_beyond_one_part_come_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MEMBERS_PER_PART", 2)
    message = a_message()
    for number in range(3):
        message.add_attachment(b"x", maintype="text", subtype="csv", filename=f"{number}.csv")
    first, second = _read(tmp_path, message.as_bytes()), _read(tmp_path, message.as_bytes(), part=1)
    assert first.parts == 2
    assert [member.path for member in (*first.members, *second.members)] == ["0.csv", "1.csv", "2.csv"]
    assert not second.blocks


def test_an_attachment_that_lies_about_its_encoding_is_given_as_it_is(tmp_path: Path) -> None:
    raw = (
        b"Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n"
        b"--b\nContent-Type: application/pdf; name=a.pdf\n"
        b"Content-Transfer-Encoding: base64\n\n!!! not base64 !!!\n--b--\n"
    )
    assert [member.path for member in _read(tmp_path, raw).members] == ["a.pdf"]


def test_an_empty_file_ends_by_name(tmp_path: Path) -> None:
    with pytest.raises(ExtractionError) as refused:
        _read(tmp_path, b"")
    assert refused.value.code == "empty_file"


def test_a_message_that_says_nothing_has_no_words(tmp_path: Path) -> None:
    read = _read(tmp_path, b"Subject:\n\n\n")
    assert (read.blocks, read.pictures, read.members) == ((), (), ())


_PIECES = st.sampled_from(
    [
        b"Subject: ",
        b"From: ",
        b"To: a@b, ",
        b"Date: Mon, ",
        b"\n",
        b"\n\n",
        b"\xff\xfe",
        b"=?utf-8?b?",
        b"?=",
        b"\n--b\n",
        b"\n--b--\n",
        b"Content-Type: multipart/mixed; boundary=b\n",
        b"Content-Type: multipart/alternative; boundary=b\n",
        b"Content-Type: message/rfc822\n\n",
        b"Content-Type: text/html; charset=\"\"\n\n<img src='cid:a'>",
        b"Content-Type: image/png\nContent-ID: <a>\n\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Disposition: attachment; filename*=x''%ff\n",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_PIECES | st.binary(max_size=12), max_size=30))
def test_no_message_breaks_the_reader(tmp_path: Path, pieces: list[bytes]) -> None:
    for left in (tmp_path / "scratch-0").glob("*"):
        left.unlink()
    try:
        _read(tmp_path, b"".join(pieces))
    except ExtractionError as error:
        assert error.code in {"empty_file", "no_content"}  # noqa: PT017 -- most messages raise nothing


def test_a_mailbox_gives_its_messages_under_names_that_stay(tmp_path: Path) -> None:
    def stored(subject: str, body: str) -> bytes:
        return b"From ana Mon Jun 01 10:00:00 2009\n" + a_message(body, subject).as_bytes() + b"\n"

    one, two, three = (
        stored("One", "first"),
        stored("Two", ">From here on\nFrom me"),
        stored("Three", "third"),
    )
    # What the text says at a line's beginning is told apart by one more ">".
    two = two.replace(b"\n>From here", b"\n>>From here").replace(b"\nFrom me", b"\n>From me")
    found = _read_box(tmp_path, one + two)
    contents = _contents(tmp_path, found)
    names = list(contents)
    assert [name.split(" [")[0] for name in names] == ["One", "Two"]
    assert b">From here on\nFrom me" in contents[names[1]]
    assert [block.text for block in found.blocks] == names
    for left in (tmp_path / "scratch-0").iterdir():
        left.unlink()
    later = _contents(tmp_path, _read_box(tmp_path, three + two))
    assert later[names[1]] == contents[names[1]]


def test_a_mailbox_without_messages_has_no_content(tmp_path: Path) -> None:
    with pytest.raises(ExtractionError) as refused:
        _read_box(tmp_path, b"nothing here\n")
    assert refused.value.code == "no_content"
