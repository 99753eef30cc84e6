"""What do operators see of the rows? No more content than they are granted: superusers have no way around it here.

Content is read-only: the search index, the word statistics and the objects must change together with it, which the
pipeline and kb.curation see to. `Vector` and `LexemeStats` are missing: Django's admin has no composite keys.
"""

# ModelAdmin takes no type argument at run time before django_stubs_ext patches it.
# mypy: disable-error-code="type-arg"

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from kb import curation, models
from kb.permissions import (
    visible_assets,
    visible_audiences,
    visible_collections,
    visible_runs,
    visible_segments,
    visible_sources,
)


class ReadOnlyAdmin(admin.ModelAdmin):
    show_full_result_count = False  # A count of the whole table for each page, and of rows that are hidden.
    list_per_page = 50

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what is offered as a filter: else a field that is not shown could be guessed letter by letter."""
        field = lookup.split("__")[0]
        offered = {"pk", *self.get_list_filter(request), self.date_hierarchy}
        return field in offered and super().lookup_allowed(lookup, value, request)


class OfVisibleAssets(ReadOnlyAdmin):
    """Rows that belong to an asset, for those who may see the asset."""

    asset_field = "asset"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = visible_assets(request.user).values("pk")
        return super().get_queryset(request).filter(**{f"{self.asset_field}__in": visible})


class OfVisibleSegments(ReadOnlyAdmin):
    """Rows that belong to a published segment, for those who may see it."""

    segment_field = "segment"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = visible_segments(request.user).values("pk")
        return super().get_queryset(request).filter(**{f"{self.segment_field}__in": visible})


class OfVisibleCollections(ReadOnlyAdmin):
    collection_field = "collection"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = visible_collections(request.user).values("pk")
        return super().get_queryset(request).filter(**{f"{self.collection_field}__in": visible})


class OfVisibleAudiences(ReadOnlyAdmin):
    audience_field = "audience"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = visible_audiences(request.user)
        return super().get_queryset(request).filter(**{f"{self.audience_field}__in": visible})


@admin.register(models.Collection)
class CollectionAdmin(OfVisibleCollections):
    """May be added and renamed here. Grants and deletion are the API's, which keeps them consistent."""

    collection_field = "pk"
    list_display = ("name", "slug", "language", "retention_days", "created_at")
    search_fields = ("name", "slug")
    readonly_fields = ("slug", "created_at")
    fields = ("name", "slug", "description", "language", "retention_days", "ranking", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        operator = cast(User, request.user)  # Nobody else gets into the admin.
        if change:
            changes = {name: getattr(obj, name) for name in form.changed_data}
            curation.change_collection(operator, obj, changes)
            return
        values = {name: value for name, value in form.cleaned_data.items() if name != "name"}
        made = curation.create_collection(operator, form.cleaned_data["name"], **values)
        # The admin goes on with the object that it made from the form.
        obj.__dict__.update(made.__dict__)


@admin.register(models.Audience)
class AudienceAdmin(OfVisibleAudiences):
    audience_field = "pk"
    list_display = ("id", "collection", "digest", "created_at")
    list_select_related = ("collection",)


@admin.register(models.AudienceMember)
class AudienceMemberAdmin(OfVisibleAudiences):
    list_display = ("id", "audience", "user", "group", "everyone", "role")
    list_filter = ("role", "everyone")
    list_select_related = ("audience", "user", "group")
    search_fields = ("user__username", "group__name")


@admin.register(models.Asset, models.Document, models.Image, models.Video)
class AssetAdmin(OfVisibleAssets):
    asset_field = "pk"
    # Neither here nor in the form the collection's name: one may read an asset without knowing of its collection.
    exclude = ("collection",)
    list_display = ("title", "collection_id", "media_type", "size_bytes", "version", "state", "updated_at")
    list_filter = ("state", "media_type")
    search_fields = ("title", "source_uri", "sha256")


@admin.register(models.AssetVersion)
class AssetVersionAdmin(OfVisibleAssets):
    list_display = ("id", "asset", "number", "media_type", "size_bytes", "created_at")
    list_select_related = ("asset",)
    search_fields = ("asset__title", "sha256")


@admin.register(models.Segment)
class SegmentAdmin(OfVisibleSegments):
    segment_field = "pk"
    exclude = ("collection",)
    list_display = ("id", "asset", "kind", "page", "part", "ordinal", "language")
    list_filter = ("kind", "language")
    list_select_related = ("asset",)
    search_fields = ("asset__title",)


@admin.register(models.SegmentWords)
class SegmentWordsAdmin(OfVisibleSegments):
    list_display = ("segment", "audience", "kind")
    fields = ("segment", "audience", "collection_id", "kind", "terms")


@admin.register(models.Lexeme)
class LexemeAdmin(ReadOnlyAdmin):
    list_display = ("id", "text")
    search_fields = ("text",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Words that stand in something the person may read: a word alone can give a secret away."""
        known = models.LexemeStats.objects.filter(audience__in=visible_audiences(request.user))
        return super().get_queryset(request).filter(pk__in=known.values("lexeme"))


@admin.register(models.AudienceWordTotals)
class AudienceWordTotalsAdmin(OfVisibleAudiences):
    list_display = ("audience", "segments")


@admin.register(models.IngestRun)
class IngestRunAdmin(ReadOnlyAdmin):
    list_display = ("id", "collection", "started_by", "state", "sealed", "created_at", "ended_at")
    list_filter = ("state",)
    list_select_related = ("collection", "started_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(pk__in=visible_runs(request.user).values("pk"))


@admin.register(models.IngestItem)
class IngestItemAdmin(ReadOnlyAdmin):
    list_display = ("path", "run", "outcome", "error_code", "created_at", "ended_at")
    list_filter = ("outcome", "error_code")
    list_select_related = ("run",)
    search_fields = ("path",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(run__in=visible_runs(request.user).values("pk"))


@admin.register(models.IngestStep)
class IngestStepAdmin(ReadOnlyAdmin):
    """For operators, whatever they may read: how the work goes, not on what. So neither path nor message."""

    list_display = (
        "id",
        "asset_version_id",
        "name",
        "part",
        "state",
        "attempts",
        "progress",
        "ready_at",
        "error_code",
    )
    list_filter = ("state", "name", "error_code")
    fields = (
        "asset_version_id",
        "name",
        "part",
        "encoder_revision",
        "state",
        "attempts",
        "ready_at",
        "lease_until",
        "progress",
        "started_at",
        "ended_at",
        "timings_ms",
        "error_code",
    )


class OfVisibleSources(ReadOnlyAdmin):
    source_field = "source"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = visible_sources(request.user).values("pk")
        return super().get_queryset(request).filter(**{f"{self.source_field}__in": visible})


@admin.register(models.Source)
class SourceAdmin(OfVisibleSources):
    """Read here, made and changed over the API or the command line, which check where a source may look."""

    source_field = "pk"
    list_display = ("name", "collection", "kind", "state", "schedule_minutes", "last_scan_at", "next_scan_at")
    list_filter = ("kind", "state")
    list_select_related = ("collection",)
    search_fields = ("name",)


@admin.register(models.SourceFolder)
class SourceFolderAdmin(OfVisibleSources):
    list_display = ("source", "folder", "audience")
    list_select_related = ("source", "audience")


@admin.register(models.SourceEntry)
class SourceEntryAdmin(OfVisibleSources):
    list_display = ("uri", "source", "asset_id", "seen_at")
    list_select_related = ("source",)
    # The asset by its number: its title is for those who may read it.
    fields = ("source", "uri", "fingerprint", "sha256", "asset_id", "seen_at")
    search_fields = ("uri",)


@admin.register(models.TusUpload)
class TusUploadAdmin(ReadOnlyAdmin):
    """For operators: how much is on its way, not what."""

    list_display = ("id", "user", "length", "offset", "created_at", "expires_at", "handed_over_at")
    list_select_related = ("user",)
    fields = ("id", "user", "length", "offset", "created_at", "expires_at", "handed_over_at")


@admin.register(models.VectorSet)
class VectorSetAdmin(ReadOnlyAdmin):
    list_display = ("id", "encoder", "revision", "modality", "dimensions", "state", "created_at")
    list_filter = ("modality", "state")


@admin.register(models.StagedVector)
class StagedVectorAdmin(ReadOnlyAdmin):
    list_display = ("id", "vector_set", "segment_id")
    list_select_related = ("vector_set",)
    fields = ("vector_set", "segment_id")


@admin.register(models.ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens can be revoked here, not made: nobody should hold another's."""

    list_display = ("name", "prefix", "user", "scopes", "created_at", "expires_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    fields = ("name", "prefix", "user", "scopes", "created_at", "expires_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(models.AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "action", "target")
    list_filter = ("action",)
    list_select_related = ("actor",)
    search_fields = ("actor__username", "target")
    date_hierarchy = "at"


@admin.register(models.QueryLog)
class QueryLogAdmin(ReadOnlyAdmin):
    list_display = ("at", "user", "words", "has_picture", "hits", "total_ms")
    list_select_related = ("user",)
    search_fields = ("words", "user__username")
    date_hierarchy = "at"


@admin.register(models.Feedback)
class FeedbackAdmin(OfVisibleAssets):
    list_display = ("at", "user", "query", "asset", "rank", "helpful")
    list_select_related = ("user", "query", "asset")


@admin.register(models.Synonym)
class SynonymAdmin(admin.ModelAdmin):
    list_display = ("words", "collection")
    list_select_related = ("collection",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        everywhere = super().get_queryset(request).filter(collection=None)
        return everywhere | super().get_queryset(request).filter(
            collection__in=visible_collections(request.user)
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "collection":
            kwargs["queryset"] = visible_collections(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(models.PinnedResult)
class PinnedResultAdmin(OfVisibleAssets):
    list_display = ("query", "asset", "position")
    list_select_related = ("asset",)
    search_fields = ("query",)
    raw_id_fields = ("asset",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "asset":
            # Else the form would tell which ids exist.
            kwargs["queryset"] = visible_assets(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
