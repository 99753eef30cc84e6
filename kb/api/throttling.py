"""How often may one person, or one token, call?"""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from kb.models import ApiToken

if TYPE_CHECKING:
    # rest_framework.views imports this module by name while it is itself being imported.
    from rest_framework.views import APIView


class PrincipalThrottle(SimpleRateThrottle):
    """Limits by settings.KB_RATE_LIMITS[view.rate_limit]; a kind of view without an entry is unlimited.

    A token has a budget of its own, so that a script does not lock its owner out of the search page.
    """

    def __init__(self) -> None:
        # The rate depends on the view, which is known only in allow_request.
        pass

    def allow_request(self, request: Request, view: "APIView") -> bool:
        self.scope = getattr(view, "rate_limit", "api")
        self.rate = settings.KB_RATE_LIMITS.get(self.scope)
        if self.rate is None:
            return True
        self.num_requests, self.duration = self.parse_rate(self.rate)
        return super().allow_request(request, view)

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:  # noqa: ARG002 - DRF's signature
        if isinstance(request.auth, ApiToken):
            return f"throttle:{self.scope}:token:{request.auth.pk}"
        if request.user.is_authenticated:
            return f"throttle:{self.scope}:user:{request.user.pk}"
        return None  # Nobody gets past IsAuthenticated.
