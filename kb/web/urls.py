"""Which address shows which page of the library, the viewer and the ingest console?"""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.i18n import set_language

from kb.web import library, upload, viewer

urlpatterns = [
    path("login/", LoginView.as_view(template_name="kb/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("collections/", library.collections_page, name="collections"),
    path("collections/<slug:slug>/", library.collection_page, name="collection"),
    path("assets/<int:asset_id>/", viewer.asset_page, name="asset"),
    path("upload/", upload.upload_page, name="upload"),
    path("runs/<int:run_id>/", upload.run_page, name="run"),
]
