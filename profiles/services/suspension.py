"""Closing a member's account for a while, and opening it again."""

from django.db import transaction

from profiles import access
from profiles.exceptions import ModerationError
from profiles.models import By, User
from profiles.services import history


@transaction.atomic
def suspend_member(*, member: User, actor: User, reason: str) -> User:
    """Keep a member out: they can neither log in nor write; every session of theirs ends. What they wrote stays."""
    if not reason.strip():
        raise ModerationError("Write down why; closing an account must be explained.")
    member = User.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.is_staff or member.is_superuser:
        raise ModerationError("An account of the moderators is closed in the administration, not here.")
    if not member.is_active:
        raise ModerationError("This account is closed already.")
    _set_active(member, actor, "member.suspend", reason, is_active=False)
    for session in access.sessions(member):
        session.end()
    return member


@transaction.atomic
def restore_member(*, member: User, actor: User, reason: str) -> User:
    """Let a suspended member in again; they log in anew."""
    member = User.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.is_active:
        raise ModerationError("This account is open.")
    _set_active(member, actor, "member.restore", reason, is_active=True)
    return member


def _set_active(member: User, actor: User, action: str, reason: str, *, is_active: bool) -> None:
    member.is_active = is_active
    member.save(update_fields=["is_active"])
    history.audit(actor=actor, by=By.MODERATOR, action=action, subject=f"user:{member.pk}", reason=reason)
