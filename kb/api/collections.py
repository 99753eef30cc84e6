"""Collections, and who is in them, over HTTP."""

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from kb import curation
from kb.api.base import ApiView, Pages, signed_in
from kb.api.serializers import ROLE_NAMES, CollectionSerializer, GrantRequestSerializer, GrantSerializer
from kb.models import AudienceMember, Collection, Role
from kb.permissions import AnyUser, collections_with_role, require_role, visible_assets, visible_collections


def find_collection(user: AnyUser, pk: int, role: Role) -> Collection:
    """Raises Http404 when `user` may not know of it, PermissionDenied when they may but their role is weaker."""
    collection = visible_collections(user).filter(pk=pk).first()
    if collection is None:
        raise Http404
    require_role(user, collection, role)
    return collection


def _serialised(user: AnyUser, collections: list[Collection]) -> list[dict[str, object]]:
    ids = [collection.pk for collection in collections]
    roles = {
        pk: role
        for role in sorted(Role)
        for pk in collections_with_role(user, role).filter(pk__in=ids).values_list("pk", flat=True)
    }
    counts = visible_assets(user).filter(collection__in=ids).order_by().values_list("collection")
    context = {"roles": roles, "asset_counts": dict(counts.annotate(Count("pk")))}
    return list(CollectionSerializer(collections, many=True, context=context).data)


class CollectionList(ApiView, generics.GenericAPIView[Collection]):
    scopes = {"GET": "read", "POST": "manage"}
    serializer_class = CollectionSerializer
    pagination_class = Pages

    @extend_schema(operation_id="collections_list", responses=CollectionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The collections that you are in."""
        collections = self.paginate_queryset(visible_collections(request.user).order_by("name", "pk"))
        return self.get_paginated_response(_serialised(request.user, list(collections or [])))

    @extend_schema(operation_id="collections_create", responses={201: CollectionSerializer})
    def post(self, request: Request) -> Response:
        """A new collection. You become its manager; nobody else sees it until you grant it."""
        user = signed_in(request)
        if not user.has_perm("kb.add_collection"):
            raise PermissionDenied("You may not create collections.")
        form = CollectionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        collection = curation.create_collection(user, **form.validated_data)
        return Response(_serialised(user, [collection])[0], status=status.HTTP_201_CREATED)


class CollectionDetail(ApiView):
    scopes = {"GET": "read", "PATCH": "manage", "DELETE": "manage"}

    @extend_schema(operation_id="collections_read", responses=CollectionSerializer)
    def get(self, request: Request, pk: int) -> Response:
        collection = find_collection(request.user, pk, Role.VIEWER)
        return Response(_serialised(request.user, [collection])[0])

    @extend_schema(
        operation_id="collections_change",
        request=CollectionSerializer(partial=True),
        responses=CollectionSerializer,
    )
    def patch(self, request: Request, pk: int) -> Response:
        user = signed_in(request)
        collection = find_collection(user, pk, Role.MANAGER)
        form = CollectionSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        curation.change_collection(user, collection, form.validated_data)
        return Response(_serialised(user, [collection])[0])

    @extend_schema(operation_id="collections_delete", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Deletes the collection and everything in it."""
        user = signed_in(request)
        curation.delete_collection(user, find_collection(user, pk, Role.MANAGER))
        return Response(status=status.HTTP_204_NO_CONTENT)


class GrantList(ApiView):
    scopes = {"GET": "manage", "PUT": "manage"}

    @extend_schema(operation_id="grants_list", responses=GrantSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Everyone who is in the collection, and as what."""
        collection = find_collection(request.user, pk, Role.MANAGER)
        members = AudienceMember.objects.filter(audience=collection.audience_id).select_related(
            "user", "group"
        )
        return Response(GrantSerializer(members.order_by("pk"), many=True).data)

    @extend_schema(operation_id="grants_set", request=GrantRequestSerializer, responses=GrantSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Lets a user, a group or everyone in, or changes their role."""
        user = signed_in(request)
        collection = find_collection(user, pk, Role.MANAGER)
        form = GrantRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        role = ROLE_NAMES[form.validated_data["role"]]
        member = curation.set_grant(user, collection, form.validated_data["principal"], role)
        return Response(GrantSerializer(member).data)


class GrantDetail(ApiView):
    scopes = {"DELETE": "manage"}

    @extend_schema(operation_id="grants_delete", responses={204: None})
    def delete(self, request: Request, pk: int, grant_pk: int) -> Response:
        user = signed_in(request)
        collection = find_collection(user, pk, Role.MANAGER)
        if not curation.remove_grant(user, collection, grant_pk):
            raise Http404
        return Response(status=status.HTTP_204_NO_CONTENT)
