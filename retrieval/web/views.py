"""How does a person search from the browser?

One form serves everyone. It posts, because a picture may be in it; words alone are then redirected to an
address that can be shared and gone back to. The page's script goes to that address at once, and fetches picture
searches in place.
"""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from kb.api.base import MULTIPART_OVERHEAD_BYTES
from kb.exceptions import QueryError
from kb.permissions import visible_collections
from kb.web.bodies import bounded
from retrieval.picture import received
from retrieval.search import SearchRequest, search
from retrieval.web.forms import SearchForm
from retrieval.web.presentation import ResultPage

PAGE_SIZE = 10
# Servers refuse longer request lines (gunicorn: 4094 bytes); a Chinese character takes nine of them.
LONGEST_ADDRESS = 2000


def _most_bytes() -> int:
    # Twice the picture's limit, so that one somewhat above it gets the answer that names the limit.
    return 2 * int(settings.KB_MAX_QUERY_PICTURE_BYTES) + MULTIPART_OVERHEAD_BYTES


@bounded(_most_bytes)
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def search_page(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.POST, request.FILES) if request.method == "POST" else SearchForm(request.GET)
    problems = form.problems()
    words = str(form["q"].value() or "")
    if problems:
        return _page(request, words, problems=problems)
    picture = form.cleaned_data["picture"]
    words = form.cleaned_data["q"]
    weight = form.cleaned_data["words_weight"]
    page = form.cleaned_data["page"] or 1
    if request.method == "POST" and picture is None:
        address = f"{reverse('search')}?{urlencode({'q': words})}"
        if len(address) <= LONGEST_ADDRESS:
            return HttpResponseRedirect(address)
    if not words and picture is None:
        return _page(request, words)
    try:
        asked = SearchRequest(
            words=words,
            picture=received(picture) if picture is not None else None,
            page=page,
            page_size=PAGE_SIZE,
            text_weight=0.5 if weight is None else weight / 100,
        )
        result = search(request.user, asked)
    except QueryError as error:
        return _page(request, words, weight=weight, problems=[gettext(str(error))])
    return _page(request, words, weight=weight, result=ResultPage.of(result, asked))


def _page(
    request: HttpRequest,
    words: str,
    *,
    weight: int | None = None,
    problems: list[str] | None = None,
    result: ResultPage | None = None,
) -> HttpResponse:
    fresh = result is None and not problems
    context = {
        "words": words,
        "words_weight": 50 if weight is None else weight,
        "problems": problems or [],
        "result": result,
        "fresh": fresh,
        "collections": visible_collections(request.user) if fresh else [],
    }
    return render(request, "retrieval/search.html", context, status=400 if problems else 200)
