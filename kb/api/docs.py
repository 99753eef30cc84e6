"""Where is the API described? Its schema, and pages made from it that need nothing from elsewhere."""

from typing import Any

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from kb.api.authentication import TokenAuthentication


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself; ships untyped
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - the library's signature
        return {"type": "http", "scheme": "bearer", "description": "An API token: `kb_` and 40 characters."}


ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "What happened, for a program."},
                "message": {"type": "string", "description": "What happened and what to do, for a person."},
                "field": {"type": "string", "description": "Which field of the request it is about, if one."},
            },
        },
    },
}


def describe_errors(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """drf-spectacular's hook: every operation may answer with an error, and all errors look alike."""
    result["components"]["schemas"]["Error"] = ERROR
    answer = {
        "description": "An error. 404 also stands for what you may not see.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = answer
    return result


class Schema(SpectacularAPIView):
    scopes = {"GET": ""}


# Its page carries one style element, and the library styles elements as it draws them. Scripts stay 'self' only.
@method_decorator(csp_update({"style-src": ["'unsafe-inline'"]}), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    scopes = {"GET": ""}
    url_name = "api-schema"
