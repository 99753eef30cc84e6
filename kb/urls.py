"""Which address leads where?"""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("retrieval.web.urls")),
    path("", include("kb.web.urls")),
    path("admin/", admin.site.urls),
]
