"""Which address leads where? (/livez, /readyz and /metrics are answered before, by kb.middleware.)"""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("kb.api.urls")),
    # By name: kb must not import retrieval.
    path("", include("retrieval.urls")),
    path("", include("kb.web.urls")),
    path("", include("retrieval.web.urls")),
]
