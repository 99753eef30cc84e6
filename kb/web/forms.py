"""What may a person send in from a page?"""

from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from kb.models import Collection, Role
from kb.permissions import AnyUser, collections_with_role


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Any number of files, at least one. Empty ones pass: the run names them with their reason."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[Any]]":
        files = data if isinstance(data, list | tuple) else [data]
        return [super(ManyFilesField, self).clean(file, initial) for file in files or [None]]


class UploadForm(forms.Form):
    collection = forms.ModelChoiceField(
        queryset=Collection.objects.none(), label=_("Collection"), empty_label=None, to_field_name="slug"
    )

    def __init__(self, user: AnyUser, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not declared above: as a class attribute it would hide the base class's `files`.
        self.fields["files"] = ManyFilesField(label=_("Files"), allow_empty_file=True)
        field = cast("forms.ModelChoiceField[Collection]", self.fields["collection"])
        field.queryset = collections_with_role(user, Role.EDITOR).order_by("name")
