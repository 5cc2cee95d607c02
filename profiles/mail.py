"""Mail as rows: written in the transaction of its cause, sent by a worker (profiles.tasks.send_outbox)."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from bzpeer.lib.doorbell import ring
from profiles.models import Notification, OutgoingMail
from works.models import Mark
from works.services import marks

log = logging.getLogger(__name__)


class OutboxBackend(BaseEmailBackend):
    """Django's way into the outbox: whatever calls send_mail writes a row."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            queue(message)
        return len(email_messages)


@transaction.atomic
def queue(message: EmailMessage, notification: Notification | None = None) -> OutgoingMail:
    """Write a mail and its mark, and ring; the worker sends it."""
    from profiles.tasks import send_outbox

    html = ""
    for alternative in getattr(message, "alternatives", []):
        if alternative[1] == "text/html":
            html = str(alternative[0])
    mail = OutgoingMail.objects.create(
        notification=notification,
        recipients=message.recipients(),
        subject=" ".join(str(message.subject).split())[:500],
        body=str(message.body),
        body_html=html,
        from_email=message.from_email or settings.DEFAULT_FROM_EMAIL,
        headers={str(name): str(value) for name, value in message.extra_headers.items()},
    )
    marks.mark(Mark.What.MAIL, [mail.pk], why="a mail was written")
    ring(send_outbox)
    return mail


def write(
    template: str, to: str, context: dict[str, object], notification: Notification | None = None
) -> OutgoingMail:
    """Queue profiles/mail/<template>.txt; its first line is the subject."""
    text = render_to_string(
        f"profiles/mail/{template}.txt",
        {"public_url": settings.PUBLIC_URL, "contact_email": settings.CONTACT_EMAIL, **context},
    )
    subject, _, body = text.strip().partition("\n")
    return queue(EmailMessage(subject, body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [to]), notification)


def message_id(mail: OutgoingMail) -> str:
    """Return the same Message-ID for every try: a crash between sending and marking shows as one mail."""
    domain = parseaddr(mail.from_email)[1].rpartition("@")[2] or urlsplit(settings.PUBLIC_URL).hostname
    return f"<outbox.{mail.pk}.{mail.created_at:%Y%m%d%H%M%S%f}@{domain}>"


def send_outbox() -> int:
    """Send every mail that is due; return how many objects were done.

    While the mail server is away no mark is touched, so that no mail is given up for its sake.
    """
    if not marks.pending(Mark.What.MAIL):
        return 0
    connection = get_connection(settings.DELIVERY_BACKEND)
    try:
        connection.open()
    except Exception as error:  # whatever the backend raises while its server is away
        log.warning("The mail server does not answer (%s); the mails wait.", error)
        return 0

    def send(mail_ids: list[int]) -> None:
        try:
            _send(mail_ids, connection)
        except Exception:
            connection.close()  # the next try opens it anew
            raise

    try:
        return marks.drain(Mark.What.MAIL, send, batch=1)
    finally:
        connection.close()


def forget_recipients() -> int:
    """Empty the addresses and subjects of mails sent a week ago; that they were sent stays known."""
    old = OutgoingMail.objects.filter(sent_at__lt=timezone.now() - timedelta(days=7)).exclude(recipients=[])
    return old.update(recipients=[], subject="")


def _send(mail_ids: list[int], connection: BaseEmailBackend) -> None:
    """Send these mails, once each, and empty their bodies."""
    mails = OutgoingMail.objects.select_for_update(of=("self",)).filter(pk__in=mail_ids, sent_at__isnull=True)
    for mail in mails.order_by("pk"):
        message = EmailMultiAlternatives(
            mail.subject,
            mail.body,
            mail.from_email,
            mail.recipients,
            headers={**mail.headers, "Message-ID": message_id(mail), "Auto-Submitted": "auto-generated"},
            connection=connection,
        )
        if mail.body_html:
            message.attach_alternative(mail.body_html, "text/html")
        message.send()
        mail.body, mail.body_html, mail.sent_at = "", "", timezone.now()
        mail.save(update_fields=["body", "body_html", "sent_at"])
