"""An account: its confirmed address, its name, its rights here."""

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from bzpeer.lib.names import clean
from profiles.exceptions import AccountError
from profiles.models import User

MODERATORS = "moderators"
MODERATOR_PERMISSIONS = [
    "view_user",
    "view_claim",
    "view_curationrequest",
    "view_report",
    "view_invitation",
    "view_notification",
]


def has_confirmed_email(user: User) -> bool:
    return EmailAddress.objects.filter(user=user, verified=True).exists()


def mail_address(user: User) -> str | None:
    """Return the address at which a member wants mail, if it was confirmed."""
    addresses = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    return addresses.values_list("email", flat=True).first()


def moderators() -> list[User]:
    return list(
        User.objects.filter(Q(groups__name=MODERATORS) | Q(is_superuser=True), is_active=True, is_staff=True)
        .distinct()
        .order_by("pk")
    )


@transaction.atomic
def make_moderator(*, user: User) -> User:
    """Let a member decide what waits at /moderation/."""
    group, _ = Group.objects.get_or_create(name=MODERATORS)
    group.permissions.set(
        Permission.objects.filter(content_type__app_label="profiles", codename__in=MODERATOR_PERMISSIONS)
    )
    user.groups.add(group)
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    return user


@transaction.atomic
def rename(*, user: User, display_name: str) -> User:
    name = clean(display_name)
    if not name:
        raise AccountError("Give a name to be shown.")
    user.display_name = name[:150]
    user.save(update_fields=["display_name"])
    return user
