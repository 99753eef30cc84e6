"""How does an act get into the audit trail?"""

from django.db.models import Model

from kb.models import AuditEvent
from kb.permissions import AnyUser


def record(actor: AnyUser | None, action: str, target: Model, **details: object) -> None:
    """Adds to the trail that `actor` did `action` to `target`, in the transaction of the act itself.

    Call it before a deletion, while the target still has its id.
    """
    AuditEvent.objects.create(
        actor_id=actor.pk if actor is not None else None,
        action=action,
        target=f"{target._meta.model_name}:{target.pk}",
        details=details,
    )
