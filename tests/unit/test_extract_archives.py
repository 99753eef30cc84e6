"""Does an archive give its files, and only files, whatever it says of their names, sizes and kinds?"""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import py7zr
import pytest

from workers.extract import archive, limits, streams
from workers.extract.base import Extraction, ExtractionError, Source

zstd = streams._zstandard()
FILES = {"plans/tower.txt": b"nine floors", "cost.csv": b"a,b\n1,2\n"}


def _read(
    tmp_path: Path, content: bytes, media_type: str = "application/zip", *, name: str = "all", part: int = 0
) -> Extraction:
    path = tmp_path / "file"
    path.write_bytes(content)
    scratch = tmp_path / f"scratch-{part}"
    scratch.mkdir()
    return archive.extract(Source(path, name, media_type, part, scratch))


def _contents(tmp_path: Path, found: Extraction, part: int = 0) -> dict[str, bytes]:
    return {
        member.path: (tmp_path / f"scratch-{part}" / member.file).read_bytes()
        for member in found.members
        if member.file
    }


def _errors(found: Extraction) -> dict[str, str]:
    return {member.path: member.error for member in found.members if member.error}


def a_zip(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def a_tar(files: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for other in others:
            packed.addfile(other)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def a_7z(files: dict[str, bytes], password: str | None = None) -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password=password) as packed:
        for name, content in files.items():
            packed.writestr(content, name)
    return out.getvalue()


def a_link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


KINDS: list[tuple[str, Callable[[dict[str, bytes]], bytes]]] = [
    ("application/zip", a_zip),
    ("application/x-tar", a_tar),
    ("application/gzip", lambda files: gzip.compress(a_tar(files))),
    ("application/x-bzip2", lambda files: bz2.compress(a_tar(files))),
    ("application/x-xz", lambda files: lzma.compress(a_tar(files))),
    ("application/zstd", lambda files: zstd.compress(a_tar(files))),
    ("application/x-7z-compressed", a_7z),
]


@pytest.mark.parametrize(("media_type", "pack"), KINDS, ids=[kind for kind, _ in KINDS])
def test_every_kind_gives_its_files_with_their_paths(
    tmp_path: Path, media_type: str, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    found = _read(tmp_path, pack(FILES), media_type)
    assert _contents(tmp_path, found) == FILES
    assert [block.text for block in found.blocks] == list(FILES)
    assert (found.parts, found.metadata) == (1, {"members": "2"})


@pytest.mark.parametrize(
    ("compress", "media_type", "name", "inside"),
    [
        (gzip.compress, "application/gzip", "report.csv.gz", "report.csv"),
        (bz2.compress, "application/x-bzip2", "notes.txt.bz2", "notes.txt"),
        (lzma.compress, "application/x-xz", "log.xz", "log"),
        (zstd.compress, "application/zstd", "dump.sql.zst", "dump.sql"),
        (gzip.compress, "application/gzip", "drawing.svgz", "drawing.svg"),
        (gzip.compress, "application/gzip", "noname", "noname (unpacked)"),
    ],
)
def test_a_compressed_file_is_one_member_under_its_own_name(
    tmp_path: Path, compress: Callable[[bytes], bytes], media_type: str, name: str, inside: str
) -> None:
    found = _read(tmp_path, compress(b"the only words"), media_type, name=name)
    assert _contents(tmp_path, found) == {inside: b"the only words"}


@pytest.mark.parametrize(("media_type", "pack"), KINDS, ids=[kind for kind, _ in KINDS])
def test_parts_share_the_members_without_loss_or_repetition(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    media_type: str,
    pack: Callable[[dict[str, bytes]], bytes],
) -> None:
    monkeypatch.setattr(limits, "MEMBERS_PER_PART", 3)
    files = {f"{number}.txt": f"words {number}".encode() for number in range(7)}
    packed = pack(files)
    first = _read(tmp_path, packed, media_type)
    assert first.parts == 3
    collected = [_contents(tmp_path, first)]
    for part in (1, 2):
        collected.append(_contents(tmp_path, _read(tmp_path, packed, media_type, part=part), part))
    assert [len(files) for files in collected] == [3, 3, 1]
    assert {name: content for files in collected for name, content in files.items()} == files


def test_a_large_member_gets_a_part_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBER_BYTES_PER_PART", 1000)
    found = _read(tmp_path, a_zip({"a": b"1" * 600, "b": b"2" * 600, "c": b"3" * 300}))
    assert (found.parts, list(_contents(tmp_path, found))) == (2, ["a"])


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../outside.txt", "a/../../b.txt", "C:\\boot.ini", "..\\up.txt"]
)
@pytest.mark.parametrize("kind", ["application/zip", "application/x-tar"])
def test_a_path_that_points_outside_is_left_out_with_a_warning(tmp_path: Path, kind: str, name: str) -> None:
    pack = a_zip if kind == "application/zip" else a_tar
    found = _read(tmp_path, pack({name: b"evil", "good.txt": b"good"}), kind)
    assert _contents(tmp_path, found) == {"good.txt": b"good"}
    assert [warning.code for warning in found.warnings] == ["unsafe_member"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "scratch-0"]


def test_links_and_devices_are_left_out_with_a_warning(tmp_path: Path) -> None:
    device = tarfile.TarInfo("null")
    device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 3
    packed = a_tar(
        {"good.txt": b"good"},
        a_link("soft", "/etc/passwd"),
        a_link("hard", "/etc/shadow", tarfile.LNKTYPE),
        a_link("fifo", "", tarfile.FIFOTYPE),
        device,
    )
    found = _read(tmp_path, packed, "application/x-tar")
    assert _contents(tmp_path, found) == {"good.txt": b"good"}
    assert [warning.code for warning in found.warnings] == ["unsafe_member"] * 4


def test_a_link_in_a_zip_is_left_out(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, "/etc/passwd")
        packed.writestr("good.txt", "good")
    found = _read(tmp_path, out.getvalue())
    assert list(_contents(tmp_path, found)) == ["good.txt"]
    assert found.warnings[0].code == "unsafe_member"


def test_a_bomb_is_refused_by_what_it_states(tmp_path: Path) -> None:
    """65 MiB of zeros in 65 kB: a thousand to one."""
    with pytest.raises(ExtractionError) as refused:
        _read(tmp_path, a_zip({"zeros": bytes(limits.MIN_BOMB_BYTES + 1)}))
    assert refused.value.code == "output_limit"


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, bz2.compress])
def test_a_bomb_is_refused_by_what_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(limits, "MIN_BOMB_BYTES", 1024**2)
    kind = {gzip: "gzip", lzma: "x-xz", bz2: "x-bzip2"}[__import__(compress.__module__.removeprefix("_"))]
    with pytest.raises(ExtractionError) as refused:
        _read(tmp_path, compress(bytes(4 * 1024**2)), f"application/{kind}")
    assert refused.value.code == "output_limit"


def test_more_than_the_site_unpacks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ARCHIVE_BYTES", 1000)
    with pytest.raises(ExtractionError, match="Unpack it") as refused:
        _read(tmp_path, a_tar({"a": b"1" * 600, "b": b"2" * 600}), "application/x-tar")
    assert refused.value.code == "output_limit"


def test_an_entry_that_unpacks_to_more_than_it_states_gives_no_more(tmp_path: Path) -> None:
    """Overlapping or lying entries: the directory says ten bytes, the stream holds a megabyte."""
    packed = bytearray(a_zip({"liar": bytes(1024**2)}))
    directory = packed.rindex(b"PK\x01\x02")
    for at in (22, directory + 24):
        struct.pack_into("<I", packed, at, 10)
    found = _read(tmp_path, bytes(packed))
    assert _errors(found) == {"liar": "corrupt"}


def test_entries_beyond_the_cap_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_MEMBERS", 2)
    found = _read(tmp_path, a_zip(dict.fromkeys("abcd", b"x")))
    assert list(_contents(tmp_path, found)) == ["a", "b"]
    assert [warning.code for warning in found.warnings] == ["members_capped"]


def test_a_member_above_the_cap_does_not_keep_the_others_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ARCHIVE_FILE_BYTES", 100)
    found = _read(tmp_path, a_zip({"big": b"x" * 101, "small": b"y"}))
    assert _errors(found) == {"big": "too_large"}
    assert list(_contents(tmp_path, found)) == ["small"]


def test_a_damaged_entry_stays_alone(tmp_path: Path) -> None:
    packed = bytearray(a_zip({"a.txt": b"alpha", "b.txt": b"beta", "c.txt": b"gamma"}, zipfile.ZIP_STORED))
    at = packed.index(b"beta")
    packed[at : at + 4] = b"BETA"
    found = _read(tmp_path, bytes(packed))
    assert _errors(found) == {"b.txt": "corrupt"}
    assert list(_contents(tmp_path, found)) == ["a.txt", "c.txt"]


def test_a_damaged_entry_of_a_7z_stays_alone(tmp_path: Path) -> None:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", filters=[{"id": py7zr.FILTER_COPY}]) as packed:
        for name, content in {"a.txt": b"alpha", "b.txt": b"beta", "c.txt": b"gamma"}.items():
            packed.writestr(content, name)
    damaged = out.getvalue().replace(b"beta", b"BETA")
    found = _read(tmp_path, damaged, "application/x-7z-compressed")
    assert _errors(found) == {"b.txt": "corrupt"}
    assert list(_contents(tmp_path, found)) == ["a.txt", "c.txt"]


def test_a_cut_tar_gives_what_came_before_the_cut(tmp_path: Path) -> None:
    packed = a_tar({"a.txt": b"alpha " * 500, "b.txt": b"beta " * 500})
    found = _read(tmp_path, packed[:5000], "application/x-tar")
    assert _contents(tmp_path, found) == {"a.txt": b"alpha " * 500}
    assert _errors(found) == {"b.txt": "corrupt"}
    assert [warning.code for warning in found.warnings] == ["corrupt"]


@pytest.mark.parametrize(
    ("content", "media_type", "code"),
    [
        (b"PK\x03\x04 and then nothing", "application/zip", "corrupt"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(40), "application/x-7z-compressed", "corrupt"),
        (gzip.compress(b"words " * 1000)[:-20], "application/gzip", "corrupt"),
        (lzma.compress(b"words " * 1000)[:-40], "application/x-xz", "corrupt"),
        (b"BZh9 nothing", "application/x-bzip2", "corrupt"),
        (b"\x28\xb5\x2f\xfd nothing", "application/zstd", "corrupt"),
        (b"no header at all" * 100, "application/x-tar", "corrupt"),
        (b"", "application/zip", "empty_file"),
        (a_zip({}), "application/zip", "no_content"),
        (a_7z(FILES, "secret"), "application/x-7z-compressed", "encrypted"),
    ],
)
def test_what_cannot_be_read_ends_by_name(tmp_path: Path, content: bytes, media_type: str, code: str) -> None:
    with pytest.raises(ExtractionError) as refused:
        _read(tmp_path, content, media_type)
    assert refused.value.code == code


def _encrypted(packed: bytes, *names: bytes) -> bytes:
    """With the flag set: what is behind it does not matter, since nobody has the password."""
    out = bytearray(packed)
    for name in names:
        at = -1
        while (at := out.find(name, at + 1)) >= 0:
            for back, magic, flags in ((30, b"PK\x03\x04", 6), (46, b"PK\x01\x02", 8)):
                if out[at - back : at - back + 4] == magic:
                    out[at - back + flags] |= 1
    return bytes(out)


def test_an_archive_with_a_password_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExtractionError) as refused:
        _read(tmp_path, _encrypted(a_zip({"a.txt": b"x"}), b"a.txt"))
    assert refused.value.code == "encrypted"


def test_one_entry_with_a_password_stays_alone(tmp_path: Path) -> None:
    found = _read(tmp_path, _encrypted(a_zip({"a.txt": b"x", "b.txt": b"y"}), b"a.txt"))
    assert _errors(found) == {"a.txt": "encrypted"}
    assert list(_contents(tmp_path, found)) == ["b.txt"]


def test_names_in_the_writers_own_encoding_are_read(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name in ("报价单.txt", "会议记录.txt"):
            # As Windows writes it: GBK bytes, and no flag for UTF-8.
            packed.writestr(name.encode("gbk").decode("cp437"), "x")
    raw = bytearray(out.getvalue())
    # zipfile sets the flag for any name that is not ASCII, and writes UTF-8: put the bytes of Windows in their place.
    for name in ("报价单.txt", "会议记录.txt"):
        written = name.encode("gbk").decode("cp437").encode()
        plain = name.encode("gbk")
        assert written in raw
        raw = bytearray(_renamed(bytes(raw), written, plain))
    found = _read(tmp_path, bytes(raw))
    assert sorted(member.path for member in found.members) == ["会议记录.txt", "报价单.txt"]


def _renamed(packed: bytes, old: bytes, new: bytes) -> bytes:
    """The archive of stored one-byte files, rewritten with another name and without the flag for UTF-8."""
    source = zipfile.ZipFile(io.BytesIO(packed))
    out, directory = io.BytesIO(), b""
    for info in source.infolist():
        raw = info.filename.encode() if info.flag_bits & 0x800 else info.filename.encode("cp437")
        name, flags = (new, 0) if raw == old else (raw, info.flag_bits)
        content = source.read(info)
        at = out.tell()
        common = struct.pack(
            "<HHHHHIIIHH", 20, flags, 0, 0, 33, info.CRC, len(content), len(content), len(name), 0
        )
        out.write(b"PK\x03\x04" + common + name + content)
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, at) + name
        )
    at = out.tell()
    count = len(source.infolist())
    out.write(directory + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, count, count, len(directory), at, 0))
    return out.getvalue()


def test_two_entries_of_one_name_are_both_kept(tmp_path: Path) -> None:
    # Of one length, so that the second can take the name of the first.
    packed = a_zip({"a.txt": b"first", "b.txt": b"second"}).replace(b"b.txt", b"a.txt")
    found = _read(tmp_path, packed)
    assert _contents(tmp_path, found) == {"a.txt": b"first", "a (2).txt": b"second"}


def test_what_desktops_leave_behind_is_no_member(tmp_path: Path) -> None:
    found = _read(
        tmp_path, a_zip({"__MACOSX/._a.txt": b"x", ".DS_Store": b"x", "dir/Thumbs.db": b"x", "a.txt": b"y"})
    )
    assert [member.path for member in found.members] == ["a.txt"]
