"""Does every storage keep the promises of kb.storage.Storage?"""

import io
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from moto.server import ThreadedMotoServer

from kb.exceptions import ObjectMissingError, StorageError
from kb.storage import PART_BYTES, FolderStorage, S3Storage, Storage

KEY = "originals/ab/" + "ab" * 32


@pytest.fixture(scope="module")
def moto_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


def _on_folder(request: pytest.FixtureRequest) -> Storage:
    return FolderStorage(request.getfixturevalue("tmp_path") / "objects")


def _on_moto(request: pytest.FixtureRequest) -> Storage:
    endpoint = request.getfixturevalue("moto_endpoint")
    return S3Storage(
        endpoint=endpoint, bucket=f"kb-{uuid.uuid4()}", access_key="a", secret_key="b", secure=False
    )


def _on_minio(request: pytest.FixtureRequest) -> Storage:
    return S3Storage(
        endpoint=os.environ["MINIO_ENDPOINT"],
        bucket=f"kb-{uuid.uuid4()}",
        access_key=os.environ.get("MINIO_ACCESS_KEY", "minioadmin"),
        secret_key=os.environ.get("MINIO_SECRET_KEY", "minioadmin"),
        secure=os.environ.get("MINIO_SECURE", "0") == "1",
    )


STORES = [pytest.param(_on_folder, id="folder"), pytest.param(_on_moto, id="moto")]
# A third where there is one: MINIO_ENDPOINT=host:port.
if "MINIO_ENDPOINT" in os.environ:
    STORES.append(pytest.param(_on_minio, id="minio"))


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Storage:
    make: Callable[[pytest.FixtureRequest], Storage] = request.param
    made = make(request)
    made.ready()
    return made


class OneByteAtATime(io.RawIOBase):
    """A stream as a socket is: it returns less than was asked for, and has no length."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._rest.read(1)


class Breaks(io.RawIOBase):
    """A stream that fails after its first chunk, as an upload over the cap does."""

    def __init__(self, first_bytes: int) -> None:
        self._first = b"x" * first_bytes

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._first:
            raise OSError("the uploader hung up")
        data, self._first = self._first[:size], self._first[size:]
        return data


def _read(store: Storage, key: str) -> bytes:
    with store.open(key) as stream:
        return stream.read()


def _put(store: Storage, key: str, content: bytes) -> None:
    store.put(key, io.BytesIO(content))


@pytest.mark.parametrize("content", [b"", b"one", bytes(range(256)) * 5000], ids=["empty", "short", "long"])
def test_what_was_put_is_read_back(store: Storage, content: bytes) -> None:
    store.put(KEY, io.BytesIO(content), size_bytes=len(content), media_type="text/plain")
    assert _read(store, KEY) == content
    assert store.size_bytes(KEY) == len(content)
    assert store.exists(KEY)


def test_an_object_larger_than_a_part_survives(store: Storage) -> None:
    content = os.urandom(1024) * (PART_BYTES // 1024) + b"and a little more"
    store.put(KEY, io.BytesIO(content))
    assert store.size_bytes(KEY) == len(content)
    assert _read(store, KEY) == content


def test_a_stream_that_gives_less_than_was_asked_for_is_read_to_its_end(store: Storage) -> None:
    store.put(KEY, OneByteAtATime(b"slowly"))
    assert _read(store, KEY) == b"slowly"


def test_an_object_can_be_read_in_pieces(store: Storage) -> None:
    _put(store, KEY, b"0123456789")
    with store.open(KEY) as stream:
        assert stream.read(4) == b"0123"
        assert stream.read(4) == b"4567"
        assert stream.read(4) == b"89"
        assert stream.read(4) == b""


def test_putting_again_replaces_the_object(store: Storage) -> None:
    _put(store, KEY, b"a longer first version")
    _put(store, KEY, b"second")
    assert _read(store, KEY) == b"second"
    assert list(store.keys()) == [KEY]


@pytest.mark.parametrize("first_bytes", [10, 2 * PART_BYTES], ids=["in the first part", "in the third part"])
def test_a_stream_that_breaks_leaves_the_earlier_object_and_its_error_goes_through(
    store: Storage, first_bytes: int
) -> None:
    _put(store, KEY, b"earlier")
    with pytest.raises(OSError, match="the uploader hung up"):
        store.put(KEY, Breaks(first_bytes))
    assert _read(store, KEY) == b"earlier"
    assert list(store.keys()) == [KEY]


@pytest.mark.parametrize("announced", [4, 6])
def test_a_stream_of_another_size_than_announced_is_refused(store: Storage, announced: int) -> None:
    with pytest.raises(StorageError, match="announced"):
        store.put(KEY, io.BytesIO(b"12345"), size_bytes=announced)
    assert not store.exists(KEY)


def test_a_missing_object_is_named_as_missing(store: Storage) -> None:
    assert not store.exists(KEY)
    with pytest.raises(ObjectMissingError, match=KEY):
        store.size_bytes(KEY)
    with pytest.raises(ObjectMissingError, match=KEY), store.open(KEY):
        pass


def test_deleting_twice_is_the_same_as_once(store: Storage) -> None:
    _put(store, KEY, b"x")
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)
    assert list(store.keys()) == []


def test_an_object_can_be_put_again_after_its_deletion(store: Storage) -> None:
    _put(store, KEY, b"x")
    store.delete(KEY)
    _put(store, KEY, b"y")
    assert _read(store, KEY) == b"y"


def test_keys_are_listed_by_the_beginning_of_their_name(store: Storage) -> None:
    keys = {"originals/ab/abc", "originals/ac/acd", "pictures/1/0/page-1.webp", "pictures/12/0/page-1.webp"}
    for key in keys:
        _put(store, key, b"x")
    assert set(store.keys()) == keys
    assert set(store.keys("originals/")) == {"originals/ab/abc", "originals/ac/acd"}
    assert set(store.keys("originals/ab")) == {"originals/ab/abc"}
    assert set(store.keys("pictures/1")) == {"pictures/1/0/page-1.webp", "pictures/12/0/page-1.webp"}
    assert set(store.keys("pictures/1/")) == {"pictures/1/0/page-1.webp"}
    assert set(store.keys("nothing/")) == set()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "single",
        "/etc/passwd",
        "../outside",
        "originals/../../outside",
        "originals/./x",
        "originals//x",
        "originals/x/",
        "originals/.hidden",
        "originals/a b",
        "originals/a\\b",
        "originals/a\x00b",
        "originals/x\n",
        "originals/ü",
        "a/" + "b" * 199,
    ],
)
def test_a_key_that_is_no_plain_path_is_refused_by_every_method(store: Storage, key: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.put(key, io.BytesIO(b"x")),
        lambda: store.open(key).__enter__(),
        lambda: store.size_bytes(key),
        lambda: store.exists(key),
        lambda: store.delete(key),
    ]
    for call in calls:
        with pytest.raises(StorageError, match="no object key"):
            call()


@pytest.mark.parametrize("prefix", ["../", "/", "originals/..", "originals//"])
def test_a_prefix_that_no_key_can_have_is_refused(store: Storage, prefix: str) -> None:
    with pytest.raises(StorageError, match="begins"):
        list(store.keys(prefix))


def test_a_folder_lists_no_unfinished_upload(tmp_path: Path) -> None:
    store = FolderStorage(tmp_path)
    seen: list[list[str]] = []

    class Looks(io.RawIOBase):
        """Looks at the folder while the upload is under way."""

        def read(self, size: int = -1) -> bytes:
            seen.append(list(store.keys()))
            return b"x" if len(seen) == 1 else b""

    stream: BinaryIO = Looks()  # type: ignore[assignment]
    store.put(KEY, stream)
    assert seen == [[], []]
    assert list(store.keys()) == [KEY]


def test_ready_removes_what_a_killed_process_left_behind(tmp_path: Path) -> None:
    store = FolderStorage(tmp_path)
    store.ready()
    old, fresh = tmp_path / ".incoming" / "old", tmp_path / ".incoming" / "fresh"
    old.write_bytes(b"half")
    fresh.write_bytes(b"half")
    os.utime(old, (0, 0))
    store.ready()
    assert not old.exists()
    assert fresh.exists()


def test_a_folder_that_cannot_be_written_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        FolderStorage(tmp_path / "file" / "objects").ready()


def test_a_store_that_does_not_answer_is_a_storage_error() -> None:
    # Port 9 (discard) of this machine: nothing listens, so the connection is refused at once.
    store = S3Storage(endpoint="127.0.0.1:9", bucket="objects", access_key="a", secret_key="b", secure=False)
    with pytest.raises(StorageError, match="failed on the bucket objects"):
        store.ready()


def test_a_bucket_name_that_no_server_takes_is_refused_at_once() -> None:
    with pytest.raises(StorageError, match="3 to 63"):
        S3Storage(endpoint="127.0.0.1:9", bucket="kb")
