"""How large a form may a page be sent? Said before the body is read, since reading it is what costs."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

View = Callable[..., HttpResponse]


def bounded(most_bytes: Callable[[], int]) -> Callable[[View], View]:
    """Refuses larger requests with a page of its own.

    Checking a form's CSRF token reads the whole body, files included, so the check moves behind the bound.
    """

    def decorate(view: View) -> View:
        protected = csrf_protect(view)

        @csrf_exempt
        @wraps(view)
        def check(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            # A body without a stated length counts as empty in WSGI, so it cannot get around this.
            length = request.META.get("CONTENT_LENGTH") or "0"
            if not length.isdecimal() or int(length) > most_bytes():
                # The template must not ask for the form's fields: that would read the body after all.
                return render(request, "413.html", {"most_bytes": most_bytes()}, status=413)
            return protected(request, *args, **kwargs)

        return check

    return decorate
