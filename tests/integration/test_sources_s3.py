"""Does a collection follow the objects of a bucket, with keys that stand nowhere in the database?"""

import io
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest
from django.contrib.auth.models import User
from minio import Minio
from moto.server import ThreadedMotoServer

from kb import sources
from kb.models import Asset, Collection, Source, SourceEntry, SourceState
from kb.source_settings import S3Settings, SourceSettingsError
from tests.integration.ingest import work_off
from workers.connectors import schedule
from workers.connectors.s3 import S3Connector
from workers.connectors.scan import Report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@dataclass
class Bucket:
    client: Minio
    name: str
    source: Source
    user: User

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(self.name, key, io.BytesIO(content), len(content))

    def scan(self) -> Report:
        sources.request_scan(self.user, self.source)
        report = schedule.run(self.source.pk)
        self.source.refresh_from_db()
        assert report is not None, self.source.error
        work_off()
        return report


@pytest.fixture
def bucket(endpoint: str, collection: Collection, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setenv("KB_SOURCE_ACCESS", "the-access-key")
    monkeypatch.setenv("KB_SOURCE_SECRET", "the-secret-key")
    client = Minio(endpoint, access_key="the-access-key", secret_key="the-secret-key", secure=False)
    name = f"files-{uuid.uuid4()}"
    client.make_bucket(name)
    user = User.objects.create_user("mia")
    settings = S3Settings(
        endpoint=endpoint,
        bucket=name,
        prefix="docs/",
        secure=False,
        access_key_env="KB_SOURCE_ACCESS",
        secret_key_env="KB_SOURCE_SECRET",
    )
    source = sources.make_source(user, collection, name="Bucket", kind="s3", settings=settings)
    return Bucket(client, name, source, user)


def places() -> list[str]:
    return sorted(Asset.objects.filter(version__gt=0).values_list("source_uri", flat=True))


def test_objects_below_the_prefix_come_in_change_and_go(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("docs/a.txt", b"One.")
    bucket.put("docs/deep/b.txt", b"Two.")
    bucket.put("docs/folder/", b"")
    bucket.put("other/c.txt", b"Three.")
    assert bucket.scan().added == 2
    assert places() == ["bucket/a.txt", "bucket/deep/b.txt"]

    opened: list[str] = []
    real = S3Connector._open
    monkeypatch.setattr(S3Connector, "_open", lambda self, key: opened.append(key) or real(self, key))
    again = bucket.scan()
    assert (again.unchanged, opened) == (2, [])

    bucket.put("docs/a.txt", b"Four.")
    bucket.client.remove_object(bucket.name, "docs/deep/b.txt")
    report = bucket.scan()
    assert (report.changed, report.deleted, opened) == (1, 1, ["docs/a.txt"])
    assert places() == ["bucket/a.txt"]
    assert Asset.objects.get().version == 2


def test_no_secret_stands_in_the_row(bucket: Bucket) -> None:
    bucket.put("docs/a.txt", b"One.")
    bucket.scan()
    bucket.source.refresh_from_db()
    row = json.dumps([bucket.source.settings, bucket.source.report, bucket.source.error])
    assert "KB_SOURCE_SECRET" in row
    assert "the-secret-key" not in row


def test_a_missing_key_or_bucket_fails_by_name_and_deletes_nothing(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("docs/a.txt", b"One.")
    bucket.scan()
    with monkeypatch.context() as patch:
        patch.delenv("KB_SOURCE_SECRET")
        sources.request_scan(bucket.user, bucket.source)
        assert schedule.run(bucket.source.pk) is None
    bucket.source.refresh_from_db()
    assert "no environment variable KB_SOURCE_SECRET" in bucket.source.error
    Source.objects.filter(pk=bucket.source.pk).update(settings=bucket.source.settings | {"bucket": "no-such"})
    sources.request_scan(bucket.user, bucket.source)
    assert schedule.run(bucket.source.pk) is None
    bucket.source.refresh_from_db()
    assert (bucket.source.state, "cannot be listed" in bucket.source.error) == (SourceState.FAILED, True)
    assert places() == ["bucket/a.txt"]


def test_a_key_that_points_outside_is_passed_over_by_name(bucket: Bucket, endpoint: str) -> None:
    # The SDK of MinIO writes no such key; others do.
    other = boto3.client(
        "s3",
        endpoint_url=f"http://{endpoint}",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        region_name="us-east-1",
    )
    other.put_object(Bucket=bucket.name, Key="docs/x/../../etc/passwd", Body=b"No path.")
    bucket.put("docs/good.txt", b"A path.")
    report = bucket.scan()
    assert report.problems == ["x/../../etc/passwd: the key points outside, or is too long"]
    assert places() == ["bucket/good.txt"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "KB_S3_SECRET_KEY", "KB_SOURCE_x", "PATH"])
def test_only_variables_that_are_meant_for_sources_can_be_named(name: str) -> None:
    with pytest.raises(SourceSettingsError, match="begin with KB_SOURCE_"):
        S3Settings(endpoint="evil.test", bucket="abc", access_key_env=name, secret_key_env="KB_SOURCE_B")


def test_an_object_that_vanishes_between_list_and_reading_is_named(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("docs/a.txt", b"One.")
    real = S3Connector._open

    def vanishing(self: S3Connector, key: str) -> object:
        bucket.client.remove_object(bucket.name, key)
        return real(self, key)

    monkeypatch.setattr(S3Connector, "_open", vanishing)
    assert bucket.scan().unreadable == 1
    assert not SourceEntry.objects.exists()
