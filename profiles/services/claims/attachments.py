"""Files with a written case: few, small, of known kinds, for moderators alone."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from uuid import UUID

from django.db import transaction

from bzpeer.lib.names import clean
from profiles.exceptions import ClaimError, ClaimStateError, TooMany
from profiles.models import Claim, ClaimAttachment
from profiles.services.claims.steps import lock, takes_more

MAX_FILES = 3
MAX_BYTES = 5_000_000

_MAGIC = [
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
]
SUFFIXES = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "text/plain": ".txt"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_UNFIT = re.compile(r"[^\w .,()+-]+")


@transaction.atomic
def add_attachments(*, claim: Claim, files: Sequence[tuple[str, bytes]]) -> list[ClaimAttachment]:
    """Keep files, each a name and its content, with an open claim: all of them or none."""
    claim = lock(claim)
    if not takes_more(claim):
        raise ClaimStateError("This claim is decided: no more files can be added.")
    if claim.attachments.count() + len(files) > MAX_FILES:
        raise TooMany(f"A claim takes {MAX_FILES} files. Remove one first.")
    return [_keep(claim, name, content) for name, content in files]


def _keep(claim: Claim, name: str, content: bytes) -> ClaimAttachment:
    """Keep one file; its kind is read from its content, its name is cleaned."""
    if not content:
        raise ClaimError(f"The file “{clean(name)[:80]}” is empty.")
    if len(content) > MAX_BYTES:
        raise ClaimError(f"The file “{clean(name)[:80]}” is too large: 5 MB at most.")
    kind = kind_of(content)
    if kind is None:
        raise ClaimError("Send a PDF, a PNG or JPEG picture, or plain text in UTF-8.")
    return ClaimAttachment.objects.create(
        claim=claim, name=clean_name(name, kind), content_type=kind, content=content, size=len(content)
    )


@transaction.atomic
def remove_attachment(*, claim: Claim, pk: UUID) -> None:
    """Take a file back while the claim is open; removing it twice changes nothing."""
    claim = lock(claim)
    if not takes_more(claim):
        raise ClaimStateError("This claim is decided: its files stay with it.")
    claim.attachments.filter(pk=pk).delete()


def kind_of(content: bytes) -> str | None:
    """Return the media type that the content itself shows, of those taken; None for all others."""
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else "text/plain"


def clean_name(name: str, kind: str) -> str:
    """Return a name without folders, hidden characters and a suffix that belies the kind."""
    last = clean(name.replace("\\", "/")).rpartition("/")[2]
    stem = _UNFIT.sub("_", PurePosixPath(last).stem).strip(" ._-")[:150]
    return (stem or "file") + SUFFIXES[kind]
