"""Addresses of search: the API's; the page's are in retrieval.web.urls."""

from django.urls import path

from retrieval.api.views import Search

urlpatterns = [path("api/search/", Search.as_view(), name="api-search")]
