"""What a researcher says on the page they hold: about themselves, whether they are open, what is shown."""

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from profiles.exceptions import OwnerError
from profiles.models import By, Change, Researcher
from profiles.services.history import record_change
from profiles.services.owner import lock_page, write_down
from works.services import authors

Kind = Change.Kind
LONGEST_BIO = 2000  # characters


@transaction.atomic
def set_bio(*, researcher: Researcher, bio: str) -> Change | None:
    """Write about oneself, in Markdown; None where it stands so already."""
    if len(bio) > LONGEST_BIO:
        raise OwnerError(f"Keep it within {LONGEST_BIO} characters.")
    return set_value(researcher, Kind.BIO, {"bio": bio.strip().replace("\x00", "")})


@transaction.atomic
def set_availability(
    *, researcher: Researcher, is_open: bool, scope: str = "", role: str = "", until: date | None = None
) -> Change | None:
    """Say whether others may invite, on what, as what and until when; a closed page keeps no end."""
    if is_open and until and until < timezone.localdate():
        raise OwnerError("This day is past. Choose a later one, or none.")
    if role not in Researcher.Role.values:
        raise OwnerError("Choose one of the roles.")
    value = {
        "open": is_open,
        "scope": scope.strip().replace("\x00", "")[:200],
        "role": role,
        "until": until.isoformat() if until and is_open else None,
    }
    return set_value(researcher, Kind.AVAILABILITY, value)


@transaction.atomic
def set_shows_number(*, researcher: Researcher, shows: bool) -> Change | None:
    """Show the trust number, or the level alone."""
    return set_value(researcher, Kind.NUMBER, {"shows": shows})


@transaction.atomic
def update_researcher(*, researcher: Researcher, bio: str, open_to_collaborate: bool) -> Researcher:
    """Set the two things that a new page begins with."""
    set_bio(researcher=researcher, bio=bio)
    set_availability(researcher=researcher, is_open=open_to_collaborate)
    researcher.refresh_from_db()
    return researcher


@transaction.atomic
def close_ended() -> int:
    """Close the pages whose time of being open is over; return how many."""
    ended = Researcher.objects.filter(open_to_collaborate=True, open_until__lt=timezone.localdate())
    rows = list(ended.select_for_update(of=("self",), skip_locked=True).select_related("author"))
    for researcher in rows:
        before = value_of(researcher, Kind.AVAILABILITY)
        researcher.open_to_collaborate = False
        researcher.save(update_fields=["open_to_collaborate"])
        authors.raise_version(researcher.author_id)
        record_change(
            kind=Kind.AVAILABILITY,
            author=researcher.author,
            actor=None,
            by=By.SYSTEM,
            before=before,
            after=value_of(researcher, Kind.AVAILABILITY),
        )
    return len(rows)


# --- Values as histories keep them ------------------------------------------------------------------


def value_of(researcher: Researcher, kind: str) -> dict[str, Any]:
    """Return what stands now, as before and after of a change hold it."""
    if kind == Kind.BIO:
        return {"bio": researcher.bio}
    if kind == Kind.NUMBER:
        return {"shows": researcher.shows_number}
    return {
        "open": researcher.open_to_collaborate,
        "scope": researcher.collaboration_scope,
        "role": researcher.collaboration_role,
        "until": researcher.open_until.isoformat() if researcher.open_until else None,
    }


def set_value(
    researcher: Researcher, kind: Change.Kind, value: dict[str, Any], undoes: Change | None = None
) -> Change | None:
    """Write a value of value_of and record it; None where it stands so already. Call it in a transaction."""
    researcher = lock_page(researcher)
    before = value_of(researcher, kind)
    if before == value:
        return None
    if kind == Kind.BIO:
        researcher.bio = value["bio"]
        fields = ["bio"]
    elif kind == Kind.NUMBER:
        researcher.shows_number = value["shows"]
        fields = ["shows_number"]
    else:
        researcher.open_to_collaborate = value["open"]
        researcher.collaboration_scope = value["scope"]
        researcher.collaboration_role = value["role"]
        researcher.open_until = date.fromisoformat(value["until"]) if value["until"] else None
        fields = ["open_to_collaborate", "collaboration_scope", "collaboration_role", "open_until"]
    researcher.save(update_fields=fields)
    return write_down(researcher, kind, before, value, undoes=undoes)
