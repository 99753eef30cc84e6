"""What may a search from the page carry?"""

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _


class SearchForm(forms.Form):
    q = forms.CharField(required=False)
    picture = forms.FileField(required=False, allow_empty_file=True)
    # How much the words count against the picture, in per cent.
    words_weight = forms.IntegerField(required=False, min_value=0, max_value=100)
    page = forms.IntegerField(required=False, min_value=1)

    def clean_q(self) -> str:
        words: str = self.cleaned_data["q"]
        most = settings.KB_MAX_QUERY_CHARACTERS
        if len(words) > most:
            raise forms.ValidationError(
                _("The query has %(length)d characters, the most is %(most)d. Keep the words that matter.")
                % {"length": len(words), "most": most}
            )
        return words

    def problems(self) -> list[str]:
        """What is wrong, as sentences without the fields' names: the page shows them in one place."""
        return [str(message) for messages in self.errors.values() for message in messages]
