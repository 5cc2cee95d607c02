"""What was changed, by whom and why: the public history of a page and the moderators' audit trail."""

from typing import Any

from django.db import transaction

from profiles.models import AuditEntry, By, Change, User
from works.models import Author, Regrouping, Work


@transaction.atomic
def record_change(
    *,
    kind: Change.Kind,
    author: Author | None,
    actor: User | None,
    by: By,
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    other: Author | None = None,
    work: Work | None = None,
    regrouping: Regrouping | None = None,
    undoes: Change | None = None,
) -> Change:
    """Write down a change, in its own transaction; before and after hold nothing private."""
    return Change.objects.create(
        kind=kind,
        author=author,
        other=other,
        work_pid=work.pid if work else "",
        regrouping=regrouping,
        actor=actor,
        by=by,
        reason=reason.strip()[:500],
        before=before or {},
        after=after or {},
        undoes=undoes,
    )


@transaction.atomic
def audit(
    *,
    actor: User | None,
    by: By,
    action: str,
    subject: str,
    author: Author | None = None,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write down a privileged act (claim.approve, author.merge …) in the transaction that does it.

    subject is kind:id, as in "claim:0199…" or "author:12".
    """
    return AuditEntry.objects.create(
        actor=actor,
        by=by,
        action=action,
        subject=subject,
        author=author,
        reason=reason.strip()[:2000],
        data=data or {},
    )
