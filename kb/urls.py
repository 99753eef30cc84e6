"""Which address leads where?"""

from django.contrib import admin
from django.urls import include, path

from kb import health, metrics

urlpatterns = [
    path("admin/", admin.site.urls),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("api/", include("kb.api.urls")),
    # By name: kb must not import retrieval.
    path("", include("retrieval.urls")),
    path("", include("kb.web.urls")),
    path("", include("retrieval.web.urls")),
]
