"""Is a shard read whole, and is one that is not named with what it lacks?"""

import io
import json
import lzma
import tarfile
from pathlib import Path

import pytest

from retrieval.training.shards import Sample, ShardError, read_shard

WORDS = {
    "source": "test",
    "label": "pump",
    "captions": [" A pump. ", ""],
    "captions_zh": ["泵"],
    "style": "photo",
}


def write(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as shard:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            shard.addfile(member, io.BytesIO(content))
    return path


def said(words: object = WORDS) -> bytes:
    return json.dumps(words).encode()


def test_pictures_and_words_are_paired_by_name_whatever_their_order(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tar.gz",
        {"1.webp": b"one", "2.json": said({"captions": ["Two."]}), "1.json": said(), "2.PNG": b"two", "notes.txt": b""},
        "w:gz",
    )  # fmt: skip
    with pytest.raises(ShardError, match="notes lacks a picture"):
        list(read_shard(path))
    paired = write(tmp_path / "b.tar", {"1.webp": b"one", "2.json": said({"captions": ["Two."]}),
                                           "1.json": said(), "2.PNG": b"two"})  # fmt: skip
    first, second = read_shard(paired)
    assert first == Sample("1", b"one", "test", "pump", ("A pump.",), ("泵",), WORDS)
    assert (second.key, second.picture, second.label, second.captions) == ("2", b"two", None, ("Two.",))


def test_equal_names_in_two_folders_are_two_samples(tmp_path: Path) -> None:
    members = {"x/1.webp": b"x", "y/1.webp": b"y", "y/1.json": said(), "x/1.json": said()}
    found = read_shard(write(tmp_path / "a.tar", members))
    assert [(sample.key, sample.picture) for sample in found] == [("y/1", b"y"), ("x/1", b"x")]


@pytest.mark.parametrize(
    ("members", "lacks"),
    [
        ({"1.json": said(), "2.json": said(), "2.webp": b"x"}, "1 lacks a picture"),
        ({"1.webp": b"x"}, "1 lacks its JSON"),
    ],
)
def test_half_a_sample_is_named(tmp_path: Path, members: dict[str, bytes], lacks: str) -> None:
    with pytest.raises(ShardError, match=rf"a\.tar.*{lacks}"):
        list(read_shard(write(tmp_path / "a.tar", members)))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{not json", "no JSON"),
        (b'{"captions": "\xff"}', "no JSON"),
        (b"[]", "not a JSON object"),
        (said({"label": 3}), "label of 1"),
        (said({"captions": "a sentence"}), "captions of 1"),
        (said({"captions_zh": [1]}), "captions_zh of 1"),
    ],
)
def test_words_that_are_none_are_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(ShardError, match=rf"a\.tar.*{complaint}"):
        list(read_shard(write(tmp_path / "a.tar", {"1.webp": b"x", "1.json": content})))


def test_a_sample_without_words_is_a_sample(tmp_path: Path) -> None:
    (sample,) = read_shard(write(tmp_path / "a.tar", {"1.webp": b"x", "1.json": b"{}"}))
    assert (sample.label, sample.captions, sample.source) == (None, (), "")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_shard_that_was_cut_off_gives_what_is_whole_and_then_its_name(tmp_path: Path, mode: str) -> None:
    noise = lzma.compress(bytes(range(256)) * 40) * 40
    path = write(
        tmp_path / "cut.tar", {"1.webp": b"x", "1.json": said(), "2.webp": noise, "2.json": said()}, mode
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    samples = read_shard(path)
    if mode == "w":
        assert next(samples).key == "1"
    with pytest.raises(ShardError, match=r"cut\.tar cannot be read"):
        list(samples)


def test_bytes_that_rotted_inside_are_noticed(tmp_path: Path) -> None:
    noise = lzma.compress(bytes(range(256)) * 40) * 400
    path = write(tmp_path / "rotten.tar.gz", {"1.webp": noise, "1.json": said()}, "w:gz")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(ShardError, match=r"rotten\.tar\.gz"):
        list(read_shard(path))


@pytest.mark.parametrize("content", [b"", b"no tar file at all"])
def test_what_is_no_tar_file_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(ShardError, match=r"x\.tar cannot be read"):
        list(read_shard(tmp_path / "x.tar"))


def test_a_shard_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"gone\.tar cannot be read"):
        list(read_shard(tmp_path / "gone.tar"))
