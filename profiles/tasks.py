"""Celery's entry points: thin, safe to run twice."""

from celery import shared_task


@shared_task
def send_outbox() -> int:
    """Send the mails that wait in the outbox."""
    from profiles import mail

    return mail.send_outbox()


@shared_task
def expire_invitations() -> int:
    """Close invitations whose reply-by date has passed, and introductions that nobody answered."""
    from profiles.services import introductions, invitations

    return invitations.expire_invitations() + introductions.expire_introductions()


@shared_task
def claims_due() -> int:
    """Tell moderators of claims that should be decided by now; close questions that nobody answered."""
    from profiles.services import claims

    return claims.claims_due()


@shared_task
def forget_addresses() -> int:
    """Delete network and mail addresses once nothing needs them any more."""
    from profiles import mail
    from profiles.services import curation

    return curation.forget_addresses() + mail.forget_recipients()


@shared_task
def make_exports() -> int:
    """Put together the data that members asked for."""
    from profiles.services import data_export

    return data_export.make_exports()


@shared_task
def expire_exports() -> int:
    """Empty the exports whose time is over."""
    from profiles.services import data_export

    return data_export.expire_exports()


@shared_task
def check_links() -> int:
    """Look whether the pages that researchers named link back."""
    from profiles.services import owner_links

    return owner_links.check_links()


@shared_task
def close_ended_pages() -> int:
    """Close the pages whose researchers said until when they are open."""
    from profiles.services import pages

    return pages.close_ended()


@shared_task
def expire_assertions() -> int:
    """End what institutions asserted twelve months ago; the ledger's lines run out by themselves."""
    from profiles.services.representatives import assertions

    return assertions.expire_assertions()


@shared_task
def run_vouch_flow() -> int:
    """Work out which vouches carry flow from the curators' seeds, and write the ledger."""
    from profiles.services import vouches

    return vouches.run_flow()


@shared_task
def send_digests() -> int:
    """Send the mails that gather, and tell of followers; each hour, because mornings come each hour somewhere."""
    from profiles.services import digests

    return digests.send_digests()


@shared_task
def recommend_to(user_id: int) -> int:
    """Work out what to recommend to one member, who waits for it."""
    from profiles.models import User
    from profiles.services import recommendations

    user = User.objects.filter(pk=user_id, is_active=True).first()
    return recommendations.recommend(user=user) if user else 0


@shared_task
def recommend_to_active(after: int = 0) -> int:
    """Work out what to recommend to members who were here lately."""
    from profiles.services import recommendations

    return recommendations.recommend_active(after=after)
