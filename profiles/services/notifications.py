"""Tell a member that something happened: once per event, in the transaction of its cause."""

from django.db import transaction
from django.utils import timezone

from profiles import access, mail
from profiles.models import Notification, User
from profiles.services import accounts


@transaction.atomic
def notify(
    *,
    recipient: User,
    verb: Notification.Verb,
    target_url: str,
    target_text: str,
    event_key: str,
    actor: User | None = None,
    by_mail: bool = True,
) -> Notification | None:
    """Leave one notification per (recipient, event), with one mail; return None across a block.

    A retry returns the first row and sends nothing more.
    """
    if actor and (actor == recipient or access.are_blocked(actor, recipient)):
        return None
    notification, created = Notification.objects.get_or_create(
        recipient=recipient,
        event_key=event_key,
        defaults={
            "verb": verb,
            "actor": actor,
            "target_url": target_url,
            "target_text": target_text[:300],
        },
    )
    if created and by_mail and recipient.is_active and (address := accounts.mail_address(recipient)):
        mail.write(f"notifications/{verb}", address, {"notification": notification}, notification)
    return notification


@transaction.atomic
def notify_moderators(*, verb: Notification.Verb, target_url: str, target_text: str, event_key: str) -> None:
    for moderator in accounts.moderators():
        notify(
            recipient=moderator,
            verb=verb,
            target_url=target_url,
            target_text=target_text,
            event_key=event_key,
            by_mail=False,
        )


def mark_done(*, verb: Notification.Verb, url: str) -> None:
    """Mark as read, for everybody who was asked, what somebody has dealt with."""
    waiting = Notification.objects.filter(verb=verb, target_url=url, read_at__isnull=True)
    waiting.update(read_at=timezone.now())


def unread_count(user: User) -> int:
    return access.notifications(user).filter(read_at__isnull=True).count()


def mark_read(*, notification: Notification) -> None:
    if notification.read_at is None:
        notification.read_at = timezone.now()
        notification.save(update_fields=["read_at"])


def mark_all_read(*, user: User) -> int:
    return access.notifications(user).filter(read_at__isnull=True).update(read_at=timezone.now())


def mark_page_read(*, user: User, url: str) -> None:
    """Mark as read whatever told of this page: it is being looked at."""
    access.notifications(user).filter(read_at__isnull=True, target_url=url).update(read_at=timezone.now())
