"""Who may read: sets of principals that content points at."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q


class Audience(models.Model):
    """A set of principals that may read.

    A collection owns one and changes its members in place, which rewrites no content. An asset's own audience
    is interned: its members never change, equal sets share one row, and `digest` is the set's fingerprint.
    """

    digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"audience {self.pk}"


class Role(models.IntegerChoices):
    """What a member may do in the collection that owns the audience. Each role includes the ones before it."""

    VIEWER = 1, "viewer"
    EDITOR = 2, "editor"
    MANAGER = 3, "manager"


class AudienceMember(models.Model):
    """One principal of an audience: a user, a group, or everyone who is signed in."""

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True)
    everyone = models.BooleanField(default=False)
    role = models.SmallIntegerField(choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="member_is_one_principal",
                condition=(
                    Q(user__isnull=False, group__isnull=True, everyone=False)
                    | Q(user__isnull=True, group__isnull=False, everyone=False)
                    | Q(user__isnull=True, group__isnull=True, everyone=True)
                ),
            ),
            models.CheckConstraint(
                name="everyone_only_views", condition=Q(everyone=False) | Q(role=Role.VIEWER)
            ),
            models.UniqueConstraint(
                name="member_once", fields=["audience", "user", "group"], nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        principal = "everyone" if self.everyone else (self.user or self.group)
        return f"{principal}: {self.get_role_display()}"
