"""Tell a member that something happened: once per event, in the transaction of its cause.

In the page always; by mail as the member chose (services/preferences.py): at once here, daily and weekly together
by services/digests.py, which also sends what waited for the end of quiet hours.
"""

from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from profiles import access, mail
from profiles.models import MailChoice, Notification, OutgoingMail, User
from profiles.services import accounts, preferences
from trust.models import TrustScore

YOUNG = timedelta(hours=24)  # of an account: until then nobody hears that it follows them
Verb = Notification.Verb
OF_THE_DESK = (Verb.CLAIM_FILED, Verb.CLAIM_OVERDUE, Verb.CURATION_OPENED, Verb.CONVERSATION_REPORTED)


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
    """Leave one notification per (recipient, event), with one mail where they want it; return None across a block.

    A retry returns the first row and sends nothing more. Nobody hears of a follower below L2 or a day old.
    """
    if actor and (actor == recipient or access.are_blocked(actor, recipient)):
        return None
    if verb == Verb.FOLLOWED and not (actor and may_announce(actor)):
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
    if created and by_mail and _mails_now(recipient, verb):
        send(notification=notification)
    return notification


def may_announce(follower: User) -> bool:
    """Return whether others hear that this member follows them."""
    score = TrustScore.objects.filter(author__researcher__user=follower, level__gte=2)
    return follower.date_joined <= timezone.now() - YOUNG and score.exists()


def _mails_now(recipient: User, verb: str) -> bool:
    often = preferences.choices_of(recipient)[preferences.kind_of(verb)]
    row = access.preferences(recipient)
    return often == MailChoice.Often.AT_ONCE and not preferences.is_quiet(row, timezone.now())


@transaction.atomic
def send(*, notification: Notification) -> OutgoingMail | None:
    """Write the mail that tells of one event, where an address is reached; a second one cannot be written."""
    user = notification.recipient
    address = preferences.mail_address(user)
    if address is None:
        return None
    text = render_to_string(
        f"profiles/mail/notifications/{notification.verb}.txt",
        {
            "notification": notification,
            "public_url": settings.PUBLIC_URL,
            "contact_email": settings.CONTACT_EMAIL,
        },
    )
    return write(user=user, address=address, text=text, kind=preferences.kind_of(notification.verb), notification=notification)  # fmt: skip


def write(
    *, user: User, address: str, text: str, kind: str, notification: Notification | None = None,
    html: str = "profiles/mail/notification.html", **context: object,
) -> OutgoingMail:  # fmt: skip
    """Queue a mail as text and in the site's design; the text's first line is the subject. kind: what its link stops."""
    subject, _, body = text.strip().partition("\n")
    stop = preferences.stop_address(user, kind)
    body = f"{body.strip()}\n\nNo more mails of this kind: {stop}\n"
    paragraphs = [" ".join(part.split()) for part in text.strip().partition("\n")[2].split("\n\n")]
    message = EmailMultiAlternatives(
        subject, body, settings.DEFAULT_FROM_EMAIL, [address], headers=preferences.stop_headers(user, kind)
    )
    about = {
        "subject": subject,
        "paragraphs": [part for part in paragraphs if part],
        "stop": stop,
        "public_url": settings.PUBLIC_URL,
        **context,
    }
    message.attach_alternative(render_to_string(html, about), "text/html")
    return mail.queue(message, notification)


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
