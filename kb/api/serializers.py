"""What do collections, assets, runs and tokens look like in the API? Every field is listed; nothing is automatic."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from kb.models import (
    Asset,
    Collection,
    IngestItem,
    IngestRun,
    Outcome,
    Role,
    Segment,
)
from kb.permissions import Principal
from kb.tokens import Scope

ROLE_NAMES = {role.label: role for role in Role}


class CollectionSerializer(serializers.Serializer[Any]):
    """`role` and `asset_count` are the caller's own: what they may do, and how many assets they see."""

    id = serializers.IntegerField(read_only=True)
    url = serializers.SerializerMethodField()
    name = serializers.CharField(max_length=200)
    slug = serializers.SlugField(read_only=True)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    language = serializers.RegexField(r"^[a-z]{2}$", required=False, allow_blank=True)
    retention_days = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=36_500)
    created_at = serializers.DateTimeField(read_only=True)
    role = serializers.SerializerMethodField()
    asset_count = serializers.SerializerMethodField()

    def get_url(self, collection: Collection) -> str:
        return reverse("api-collection", [collection.pk])

    @extend_schema_field(serializers.ChoiceField(choices=list(ROLE_NAMES)))
    def get_role(self, collection: Collection) -> str:
        return str(Role(self.context["roles"][collection.pk]).label)

    def get_asset_count(self, collection: Collection) -> int:
        return int(self.context["asset_counts"].get(collection.pk, 0))


class PrincipalSerializer(serializers.Serializer[Any]):
    """Exactly one of the three."""

    user = serializers.CharField(required=False, help_text="A username.")
    group = serializers.CharField(required=False, help_text="A group's name.")
    everyone = serializers.BooleanField(required=False, help_text="Everyone who is signed in.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(bool(attrs.get(name)) for name in ("user", "group", "everyone")) != 1:
            raise serializers.ValidationError("Name exactly one of user, group and everyone.")
        attrs["principal"] = Principal(
            user=self._user(attrs["user"]) if attrs.get("user") else None,
            group=self._group(attrs["group"]) if attrs.get("group") else None,
            everyone=bool(attrs.get("everyone")),
        )
        return attrs

    def _user(self, username: str) -> User:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise serializers.ValidationError({"user": "There is no such user."})
        return user

    def _group(self, name: str) -> Group:
        group = Group.objects.filter(name=name).first()
        if group is None:
            raise serializers.ValidationError({"group": "There is no such group."})
        return group


class GrantRequestSerializer(PrincipalSerializer):
    role = serializers.ChoiceField(choices=list(ROLE_NAMES))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if attrs["principal"].everyone and ROLE_NAMES[attrs["role"]] != Role.VIEWER:
            raise serializers.ValidationError({"role": "Everyone can only be viewer."})
        return attrs


class GrantSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    user = serializers.CharField(source="user.username", default=None, allow_null=True)
    group = serializers.CharField(source="group.name", default=None, allow_null=True)
    everyone = serializers.BooleanField()
    role = serializers.ChoiceField(choices=list(ROLE_NAMES), source="get_role_display")


class ReadersRequestSerializer(serializers.Serializer[Any]):
    readers = serializers.ListField(child=PrincipalSerializer(), allow_empty=False, max_length=1000)


class ReaderSerializer(serializers.Serializer[Any]):
    user = serializers.CharField(source="user.username", default=None, allow_null=True)
    group = serializers.CharField(source="group.name", default=None, allow_null=True)
    everyone = serializers.BooleanField()


class AudienceSerializer(serializers.Serializer[Any]):
    own = serializers.BooleanField(help_text="False: the asset has its collection's readers.")
    readers = ReaderSerializer(many=True)


class CollectionReferenceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.SerializerMethodField()

    def get_url(self, collection: Collection) -> str:
        return reverse("api-collection", [collection.pk])


class OutlineEntrySerializer(serializers.Serializer[Any]):
    heading_path = serializers.ListField(child=serializers.CharField())
    page = serializers.IntegerField(allow_null=True)
    segment_id = serializers.IntegerField()


class AssetSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=["document", "image", "video"])
    title = serializers.CharField()
    source_uri = serializers.CharField()
    # Null for someone who may read this asset but does not know of its collection.
    collection = serializers.SerializerMethodField()
    media_type = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    language = serializers.CharField()
    version = serializers.IntegerField()
    state = serializers.CharField()
    metadata = serializers.JSONField()
    page_count = serializers.IntegerField(source="document.page_count", default=None, allow_null=True)
    width_px = serializers.SerializerMethodField()
    height_px = serializers.SerializerMethodField()
    captured_at = serializers.DateTimeField(source="image.captured_at", default=None, allow_null=True)
    duration_ms = serializers.IntegerField(source="video.duration_ms", default=None, allow_null=True)
    frames_per_s = serializers.FloatField(source="video.frames_per_s", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    # Empty while no version of it is searchable.
    content_url = serializers.SerializerMethodField()
    segments_url = serializers.SerializerMethodField()
    outline = serializers.SerializerMethodField()

    @extend_schema_field(CollectionReferenceSerializer(allow_null=True))
    def get_collection(self, asset: Asset) -> object:
        if not self.context["collection_is_visible"]:
            return None
        return CollectionReferenceSerializer(asset.collection).data

    def get_width_px(self, asset: Asset) -> int | None:
        return self._of_picture(asset, "width_px")

    def get_height_px(self, asset: Asset) -> int | None:
        return self._of_picture(asset, "height_px")

    def get_content_url(self, asset: Asset) -> str:
        return reverse("api-asset-content", [asset.pk]) if asset.version else ""

    def get_segments_url(self, asset: Asset) -> str:
        return reverse("api-asset-segments", [asset.pk])

    @extend_schema_field(OutlineEntrySerializer(many=True))
    def get_outline(self, _asset: Asset) -> object:
        return self.context["outline"]

    def _of_picture(self, asset: Asset, field: str) -> int | None:
        child = getattr(asset, "image", None) or getattr(asset, "video", None)
        return getattr(child, field, None)


class SegmentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    page = serializers.IntegerField(allow_null=True)
    heading_path = serializers.ListField(child=serializers.CharField())
    start_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)
    box = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    text = serializers.CharField()
    caption = serializers.CharField()
    alt_text = serializers.CharField()
    ocr_text = serializers.CharField()
    language = serializers.CharField()
    width_px = serializers.IntegerField(allow_null=True)
    height_px = serializers.IntegerField(allow_null=True)
    # Empty: this segment has no pixels. A linked picture may still be another asset that the caller cannot see.
    picture_url = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()

    def get_picture_url(self, segment: Segment) -> str:
        return reverse("api-segment-picture", [segment.pk]) if self._has_picture(segment) else ""

    def get_thumbnail_url(self, segment: Segment) -> str:
        return reverse("api-segment-thumbnail", [segment.pk]) if self._has_picture(segment) else ""

    def _has_picture(self, segment: Segment) -> bool:
        return bool(segment.picture_key or segment.thumbnail_key or segment.picture_uri)


class UploadRequestSerializer(serializers.Serializer[Any]):
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True, max_length=None))
    paths = serializers.ListField(
        child=serializers.CharField(max_length=1000, trim_whitespace=False),
        required=False,
        help_text="Path of each file below the folder that is uploaded, in the order of `files`.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("paths") and len(attrs["paths"]) != len(attrs["files"]):
            raise serializers.ValidationError({"paths": "Give one path for each file, or none at all."})
        return attrs


class IngestItemSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    path = serializers.CharField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    error_code = serializers.CharField()
    error_message = serializers.CharField()
    # Null: refused before there was one, deleted since, or not the caller's to see.
    asset_id = serializers.SerializerMethodField()
    # Share of the file's work that is done, 0 to 1.
    progress = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)

    def get_asset_id(self, item: IngestItem) -> int | None:
        asset_id = item.asset_version.asset_id if item.asset_version else None
        return asset_id if asset_id in self.context["visible_assets"] else None

    def get_progress(self, item: IngestItem) -> float:
        if item.outcome != Outcome.PENDING:
            return 1.0
        return float(self.context["progress"].get(item.asset_version_id, 0.0))


class ProgressSerializer(serializers.Serializer[Any]):
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Files by outcome.")
    total = serializers.IntegerField()
    ended = serializers.IntegerField()
    files_per_s = serializers.FloatField()
    remaining_s = serializers.FloatField(allow_null=True)


class RunSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    url = serializers.SerializerMethodField()
    items_url = serializers.SerializerMethodField()
    collection = CollectionReferenceSerializer()
    started_by = serializers.CharField(source="started_by.username", default=None, allow_null=True)
    state = serializers.CharField()
    sealed = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # As a class attribute, `source` would hide the base class's.
        return {**super().get_fields(), "source": serializers.CharField()}

    def get_url(self, run: IngestRun) -> str:
        return reverse("api-run", [run.pk])

    def get_items_url(self, run: IngestRun) -> str:
        return reverse("api-run-items", [run.pk])


class RunDetailSerializer(RunSerializer):
    progress = serializers.SerializerMethodField()

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, _run: IngestRun) -> object:
        return ProgressSerializer(self.context["progress_of_run"]).data


class UploadAnswerSerializer(serializers.Serializer[Any]):
    run = RunSerializer()
    items = IngestItemSerializer(many=True)


class RetriedSerializer(serializers.Serializer[Any]):
    retried = serializers.IntegerField(help_text="Files whose work starts again.")


class TokenSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=100)
    prefix = serializers.CharField(read_only=True)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices), allow_empty=False, max_length=len(Scope)
    )
    created_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    last_used_at = serializers.DateTimeField(read_only=True)

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This moment has passed.")
        return value


class TokenCreatedSerializer(TokenSerializer):
    secret = serializers.CharField(read_only=True, help_text="Shown this once.")


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    username = serializers.CharField()
    full_name = serializers.CharField(source="get_full_name")
    groups = serializers.SerializerMethodField()
    may_create_collections = serializers.SerializerMethodField()
    # Null for a session, which has no limits of that kind.
    token_scopes = serializers.SerializerMethodField()

    def get_groups(self, user: User) -> list[str]:
        return list(user.groups.order_by("name").values_list("name", flat=True))

    def get_may_create_collections(self, user: User) -> bool:
        return user.has_perm("kb.add_collection")

    def get_token_scopes(self, _user: User) -> list[str] | None:
        token = self.context["token"]
        return list(token.scopes) if token else None
