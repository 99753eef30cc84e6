"""Addresses of the API below /api/, except search, which is retrieval's."""

from django.urls import path

from kb.api import account, assets, collections, docs, runs, sources, tus

urlpatterns = [
    path("collections/", collections.CollectionList.as_view(), name="api-collections"),
    path("collections/<int:pk>/", collections.CollectionDetail.as_view(), name="api-collection"),
    path("collections/<int:pk>/grants/", collections.GrantList.as_view(), name="api-grants"),
    path("collections/<int:pk>/grants/<int:grant_pk>/", collections.GrantDetail.as_view(), name="api-grant"),
    path("collections/<int:pk>/uploads/", runs.Uploads.as_view(), name="api-uploads"),
    path("collections/<int:pk>/tus/", tus.TusUploads.as_view(), name="api-tus"),
    path("collections/<int:pk>/tus/<uuid:upload_pk>/", tus.TusUploadDetail.as_view(), name="api-tus-upload"),
    path("collections/<int:pk>/runs/", tus.OpenRuns.as_view(), name="api-open-runs"),
    path("runs/", runs.RunList.as_view(), name="api-runs"),
    path("runs/<int:pk>/", runs.RunDetail.as_view(), name="api-run"),
    path("runs/<int:pk>/items/", runs.RunItems.as_view(), name="api-run-items"),
    path("runs/<int:pk>/items/<int:item_pk>/retry/", runs.ItemRetry.as_view(), name="api-item-retry"),
    path("runs/<int:pk>/retry-failures/", runs.RunRetryFailures.as_view(), name="api-run-retry-failures"),
    path("runs/<int:pk>/seal/", tus.RunSeal.as_view(), name="api-run-seal"),
    path("runs/<int:pk>/cancel/", runs.RunCancel.as_view(), name="api-run-cancel"),
    path("assets/<int:pk>/", assets.AssetDetail.as_view(), name="api-asset"),
    path("assets/<int:pk>/segments/", assets.AssetSegments.as_view(), name="api-asset-segments"),
    path("assets/<int:pk>/content", assets.AssetContent.as_view(), name="api-asset-content"),
    path("assets/<int:pk>/stream", assets.AssetStream.as_view(), name="api-asset-stream"),
    path("assets/<int:pk>/preview", assets.AssetPreview.as_view(), name="api-asset-preview"),
    path("assets/<int:pk>/audience", assets.AssetAudience.as_view(), name="api-asset-audience"),
    path("segments/<int:pk>/picture", assets.SegmentPicture.as_view(), name="api-segment-picture"),
    path("segments/<int:pk>/thumbnail", assets.SegmentThumbnail.as_view(), name="api-segment-thumbnail"),
    path("sources/", sources.SourceList.as_view(), name="api-sources"),
    path("sources/<int:pk>/", sources.SourceDetail.as_view(), name="api-source"),
    path("sources/<int:pk>/scan/", sources.SourceScan.as_view(), name="api-source-scan"),
    path("tokens/", account.TokenList.as_view(), name="api-tokens"),
    path("tokens/<int:pk>/", account.TokenDetail.as_view(), name="api-token"),
    path("me/", account.Me.as_view(), name="api-me"),
    path("schema/", docs.Schema.as_view(), name="api-schema"),
    path("docs/", docs.Docs.as_view(), name="api-docs"),
]
