"""Who is calling, and what is their token good for?"""

from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from rest_framework import permissions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from kb import tokens
from kb.models import ApiToken

if TYPE_CHECKING:
    # rest_framework.views imports this module by name while it is itself being imported.
    from rest_framework.views import APIView


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer kb_…`. Someone who sends a token that does not hold is not let in by session instead."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = tokens.holder(secret.strip().decode("ascii", errors="replace"))
        if token is None:
            raise AuthenticationFailed("The token is unknown or has expired.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        return "Bearer"


class TokenHasScope(permissions.BasePermission):
    """Asks the token for the scope that the view declares for the method, before anything is looked up.

    A view without a declaration for a method takes no tokens there at all. A session has every scope.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, ApiToken):
            return True
        scopes: dict[str, str] = getattr(view, "scopes", {})
        needed = scopes.get("GET" if request.method == "HEAD" else request.method or "")
        if needed is None:
            self.message = "This is not open to API tokens. Sign in."
            return False
        self.message = f"This needs a token with the scope {needed}."
        return needed == "" or needed in request.auth.scopes
