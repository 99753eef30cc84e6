"""The caller and their tokens, over HTTP."""

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from kb import audit, tokens
from kb.api.base import ApiView, signed_in
from kb.api.serializers import MeSerializer, TokenCreatedSerializer, TokenSerializer
from kb.models import ApiToken


class Me(ApiView):
    scopes = {"GET": ""}

    @extend_schema(operation_id="me", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Who you are here, and what your token is good for."""
        token = request.auth if isinstance(request.auth, ApiToken) else None
        return Response(MeSerializer(signed_in(request), context={"token": token}).data)


class TokenList(ApiView):
    # No scopes: a token that could make tokens would outlive its own revocation.

    @extend_schema(operation_id="tokens_list", responses=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Your tokens, newest first. Their secrets are not kept."""
        mine = ApiToken.objects.filter(user=signed_in(request)).order_by("-pk")
        return Response(TokenSerializer(mine, many=True).data)

    @extend_schema(
        operation_id="tokens_create", request=TokenSerializer, responses={201: TokenCreatedSerializer}
    )
    def post(self, request: Request) -> Response:
        """A new token. The answer is the only place where its secret ever stands."""
        form = TokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with transaction.atomic():
            token, secret = tokens.issue(signed_in(request), **form.validated_data)
            audit.record(request.user, "token.created", token, name=token.name, scopes=token.scopes)
        answer = {**TokenSerializer(token).data, "secret": secret}
        return Response(answer, status=status.HTTP_201_CREATED)


class TokenDetail(ApiView):
    @extend_schema(operation_id="tokens_delete", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Revokes the token at once."""
        with transaction.atomic():
            token = ApiToken.objects.filter(user=signed_in(request), pk=pk).first()
            if token is None:
                raise Http404
            audit.record(request.user, "token.deleted", token, name=token.name)
            token.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
