"""What time alone does to claims; called by beat, safe to run twice."""

from django.utils import timezone

from profiles.models import Claim, Notification
from profiles.services.claims.confirmations import lapse_confirmations
from profiles.services.claims.steps import tell_moderators


def claims_due() -> int:
    """Tell moderators of every claim that should be decided by now, once a day; return how many there are."""
    lapse_confirmations()
    now = timezone.now()
    waiting = Claim.objects.filter(state__in=[*Claim.OPEN, Claim.State.DISPUTED], due_at__lte=now)
    count = 0
    for claim in waiting.select_related("author").order_by("due_at").iterator():
        tell_moderators(claim, f"overdue:{now.date().isoformat()}", Notification.Verb.CLAIM_OVERDUE)
        count += 1
    return count
