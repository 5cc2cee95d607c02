"""Celery's entry points: thin, safe to run twice."""

from celery import shared_task


@shared_task
def send_outbox() -> int:
    """Send the mails that wait in the outbox."""
    from profiles import mail

    return mail.send_outbox()


@shared_task
def expire_invitations() -> int:
    """Close invitations whose reply-by date has passed."""
    from profiles.services import invitations

    return invitations.expire_invitations()


@shared_task
def forget_addresses() -> int:
    """Delete network and mail addresses once nothing needs them any more."""
    from profiles import mail
    from profiles.services import curation

    return curation.forget_addresses() + mail.forget_recipients()
