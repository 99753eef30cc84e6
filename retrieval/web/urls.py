"""Which address shows the search page?"""

from django.urls import path

from retrieval.web.views import search_page

urlpatterns = [path("", search_page, name="search")]
