"""All that this site holds about a member, kind by kind, as plain rows; profiles/services/data_export.py packs it.

A key is named as its column is. What is left out, and why, stands in LEFT_OUT for the member and, column by column,
in tests/profiles/test_my_data.py.
"""

from collections.abc import Iterator

from profiles.models import ClaimAttachment, Photo, User
from profiles.services.my_data import account, page, people
from profiles.services.my_data.account import addresses_of
from profiles.services.my_data.kinds import Kind, Row
from profiles.services.my_data.page import attachment_path

__all__ = ["LEFT_OUT", "Kind", "Row", "addresses_of", "files", "kinds"]

LEFT_OUT = (
    "Passwords, keys of sessions and second factors, and links that log in: whoever reads them could act as you.",
    "What moderators note for each other, and the signs by which they guard against abuse: they may speak of others.",
    "Who blocks you, who reported a conversation, and that somebody declined your invitation: that is theirs to know.",
)


def kinds(user: User) -> Iterator[Kind]:
    """Yield everything that is held about a member; rows are read one kind at a time."""
    yield from account.account_kinds(user)
    yield from page.page_kinds(user)
    yield from page.claims_kinds(user)
    yield from page.institutions_kinds(user)
    yield from people.people_kinds(user)
    yield from account.requests_kinds(user)
    yield from people.acts_kinds(user)


def files(user: User) -> Iterator[tuple[str, bytes]]:
    """Yield the files a member gave: the name within the export, and the content."""
    for content in Photo.objects.filter(researcher__user=user).values_list("content", flat=True):
        yield "photo.webp", bytes(content)
    for attachment in ClaimAttachment.objects.filter(claim__user=user).order_by("pk").iterator():
        yield attachment_path(attachment.pk, attachment.name), bytes(attachment.content)
