"""A member's account: who they are here, how they get in, what is mailed to them."""

from collections.abc import Iterator

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import F, Q

from profiles import access
from profiles.models import (
    CurationRequest,
    MailChoice,
    MailTrouble,
    Notification,
    OutgoingMail,
    Preferences,
    User,
)
from profiles.services.my_data.kinds import Kind, Row


def account_kinds(user: User) -> Iterator[Kind]:
    fields = (
        "email", "display_name", "is_active", "is_staff", "is_superuser", "date_joined", "last_login", "limited_until",
    )  # fmt: skip
    account = User.objects.filter(pk=user.pk).values(*fields).get()
    groups = list(user.groups.order_by("name").values_list("name", flat=True))
    yield Kind("account", "Your account", [{**account, "groups": groups}])
    yield Kind(
        "email_addresses",
        "Your e-mail addresses",
        EmailAddress.objects.filter(user=user).order_by("pk").values("email", "verified", "primary"),
    )
    yield Kind(
        "connections",
        "Other services that you log in with, such as ORCID, and what they told of you",
        SocialAccount.objects.filter(user=user)
        .order_by("pk")
        .values("provider", "uid", "extra_data", "date_joined", "last_login"),
    )
    yield Kind(
        "second_factors",
        "Second factors and passkeys: of which kind, and since when",
        Authenticator.objects.filter(user=user).order_by("pk").values("type", "created_at", "last_used_at"),
    )
    yield Kind(
        "sessions",
        "Where you are logged in",
        UserSession.objects.filter(user=user)
        .order_by("pk")
        .values("ip", "user_agent", "data", "created_at", "last_seen_at"),
    )
    yield Kind("preferences", "How you want to be told of things, and who may invite you", _preferences(user))
    yield Kind(
        "mail_choices",
        "How often mail tells you of what",
        MailChoice.objects.filter(user=user).order_by("kind").values("kind", "often"),
    )
    yield Kind(
        "mail_troubles",
        "Addresses of yours from which mail came back",
        MailTrouble.objects.filter(email__in=addresses_of(user))
        .order_by("pk")
        .values("email", "kind", "detail", "created_at"),
    )
    yield Kind(
        "exports",
        "Files like this one that you asked for",
        access.exports(user).values(
            "id", "state", "size", "attempts", "trouble", "created_at", "ready_at", "expires_at"
        ),
    )


def _preferences(user: User) -> Iterator[Row]:
    for row in Preferences.objects.filter(user=user).prefetch_related("invite_topics"):
        yield {
            "time_zone": row.time_zone,
            "quiet_from": row.quiet_from,
            "quiet_until": row.quiet_until,
            "feed_seen_at": row.feed_seen_at,
            "digest_sent_at": row.digest_sent_at,
            "invite_level": row.invite_level,
            "invite_topics": [str(topic) for topic in row.invite_topics.all()],
            "invites_a_week": row.invites_a_week,
        }


def requests_kinds(user: User) -> Iterator[Kind]:
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    yield Kind(
        "notifications",
        "What you were told of",
        Notification.objects.filter(recipient=user)
        .order_by("created_at")
        .values(
            "id",
            "verb",
            "target_url",
            "target_text",
            "created_at",
            "read_at",
            actor_name=F("actor__display_name"),
        ),
    )
    yield Kind("mails", "Mails to you that wait, or that were sent within the last days", _mails(user))
    yield Kind(
        "requests_about_records",
        "Corrections, objections and wishes to be hidden that came from your confirmed addresses",
        CurationRequest.objects.filter(email__in=addresses.values("email"))
        .order_by("created_at")
        .values(
            "id", "kind", "state", "email", "message", "answer", "created_at", "confirmed_at", "decided_at",
            author_pid=F("author__pid"), work_pid=F("work__pid"),
        ),
    )  # fmt: skip


def _mails(user: User) -> Iterator[Row]:
    """Yield the mails to a member. What the account system writes may carry a link that logs in: without its words."""
    theirs = Q(notification__recipient=user)
    for email in addresses_of(user):
        theirs |= Q(recipients__contains=[email])
    fields = ("id", "recipients", "subject", "from_email", "created_at", "sent_at")
    for row in OutgoingMail.objects.filter(theirs).order_by("pk").values(
        *fields, "notification_id", "body", "body_html", "headers"
    ):  # fmt: skip
        yield row if row["notification_id"] else {name: row[name] for name in fields}


def addresses_of(user: User) -> list[str]:
    """Return every address of a member, confirmed or not."""
    emails = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    return sorted({user.email, *emails})
