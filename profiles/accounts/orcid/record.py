"""What we keep of a person's ORCID record: SocialAccount.extra_data, the record 3.0 itself without addresses.

Two keys of ours stand beside ORCID's: "fetched-at" (ISO 8601) and "issuer", the address that vouched for the iD.
"""

import json
from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from bzpeer.lib.names import clean
from profiles.accounts.orcid.answers import ask_record
from profiles.models import User

PROVIDER = "orcid"
MOST_CHARACTERS = 1_500_000  # of what is kept; some 2,500 works in short
_WORK = ("put-code", "title", "external-ids", "type", "publication-date", "source", "visibility", "display-index", "path")  # fmt: skip


def account_of(user: User) -> SocialAccount | None:
    """Return the iD that a member proved by ORCID's own log-in: uid is the iD, extra_data the record."""
    return SocialAccount.objects.filter(user=user, provider=PROVIDER).order_by("pk").first()


def fetched_at(account: SocialAccount) -> datetime | None:
    """Return when the record that we keep was fetched."""
    said = account.extra_data.get("fetched-at")
    return parse_datetime(said) if isinstance(said, str) else None


def issuer(account: SocialAccount) -> str:
    """Return the address of the ORCID that vouched for the iD: a sandbox proves nothing about anybody."""
    return str(account.extra_data.get("issuer", ""))


def refresh(account: SocialAccount) -> SocialAccount:
    """Fetch the public record anew. Raises OrcidError and leaves what is kept as it is.

    Only for an account of the ORCID that this site asks now; another's records are another's.
    """
    if issuer(account) == settings.ORCID_OAUTH_URL:
        account.extra_data = kept(ask_record(account.uid))
        account.save(update_fields=["extra_data"])
    return account


def kept(record: dict[str, Any]) -> dict[str, Any]:
    """Return what of a record is kept: no e-mail addresses, no NUL, and no more than MOST_CHARACTERS."""
    person = record.get("person")
    record = {key: value for key, value in record.items() if key not in {"fetched-at", "issuer", "truncated"}}
    if isinstance(person, dict):
        record["person"] = {key: value for key, value in person.items() if key != "emails"}
    record = without_nul(record)
    if _length(record) > MOST_CHARACTERS:
        record = _shortened(record)
    return record | {"fetched-at": timezone.now().isoformat(), "issuer": settings.ORCID_OAUTH_URL}


def display_name(record: dict[str, Any]) -> str:
    """Return the name under which a person goes at ORCID, or an empty text where it is not public."""
    person = record.get("person")
    name = person.get("name") if isinstance(person, dict) else None
    if not isinstance(name, dict):
        return ""
    credit = _value(name.get("credit-name"))
    return (credit or clean(f"{_value(name.get('given-names'))} {_value(name.get('family-name'))}"))[:150]


def without_nul(value: Any) -> Any:
    """Return JSON without the character that PostgreSQL cannot hold, and without lone surrogates."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    return value


def _shortened(record: dict[str, Any]) -> dict[str, Any]:
    """Keep who it is and, in short, as many works as fit: those first that an organisation added."""
    identity = {key: record.get(key) for key in ("orcid-identifier", "history", "path")}
    person = record.get("person")
    name = person.get("name") if isinstance(person, dict) else None
    short = identity | {"person": {"name": name}, "truncated": True}
    if _length(short) > MOST_CHARACTERS // 2:
        short = {"orcid-identifier": record.get("orcid-identifier"), "truncated": True}
    activities = record.get("activities-summary")
    works = activities.get("works") if isinstance(activities, dict) else None
    groups = works.get("group") if isinstance(works, dict) else None
    slim = [_slim(group) for group in groups if isinstance(group, dict)] if isinstance(groups, list) else []
    slim.sort(key=lambda group: not _by_organisation(group))
    room, fitting = MOST_CHARACTERS - _length(short) - 100, []
    for group in slim:
        room -= _length(group) + 2
        if room < 0:
            break
        fitting.append(group)
    return short | {"activities-summary": {"works": {"group": fitting}}}


def _slim(group: dict[str, Any]) -> dict[str, Any]:
    versions = group.get("work-summary")
    return {
        "external-ids": group.get("external-ids"),
        "work-summary": [
            {key: version[key] for key in _WORK if key in version}
            for version in (versions if isinstance(versions, list) else [])
            if isinstance(version, dict)
        ],
    }


def _by_organisation(group: dict[str, Any]) -> bool:
    sources = [version.get("source") for version in group["work-summary"]]
    return any(isinstance(source, dict) and source.get("source-client-id") for source in sources)


def _length(value: Any) -> int:
    return len(json.dumps(value))


def _value(node: Any) -> str:
    value = node.get("value") if isinstance(node, dict) else None
    return clean(value) if isinstance(value, str) else ""
