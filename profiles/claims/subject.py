"""Who claims what: the person and the record, read once for all routes."""

import io
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db.models import Q
from django.utils import timezone

from profiles.claims.findings import Check, Outcome
from profiles.claims.names import Fit, best_fit
from profiles.claims.sources import Known, read_known
from profiles.models import Claim, User
from works.identifiers import normalise_orcid
from works.ingest import orcid
from works.ingest.files import UnreadableFile
from works.ingest.records import AuthorRecord
from works.models import Author, AuthorName, NameOverride


@dataclass
class Subject:
    """author_ids: the record and those that were joined with it. author_names: every name it goes or went by; the
    hidden ones count and must never be shown. addresses: the confirmed ones."""

    user: User
    author: Author
    claim: Claim | None
    now: datetime
    author_ids: list[int]
    author_names: list[str]
    addresses: list[str]
    account: SocialAccount | None

    @cached_property
    def own_fit(self) -> Fit:
        """How well the name that the member goes by here agrees with the record's."""
        return best_fit([self.user.display_name], self.author_names)

    @cached_property
    def orcid(self) -> str:
        """The iD that the member signed in with, "" where there is none."""
        return (normalise_orcid(self.account.uid) or "") if self.account else ""

    @cached_property
    def person(self) -> AuthorRecord | None:
        """What the member's ORCID record says; None where there is none, or it is of another registry or person."""
        if not self.account or not isinstance(self.account.extra_data, dict):
            return None
        found = read_person(self.account.extra_data)
        return found if found and found.record_id == self.orcid else None

    @cached_property
    def known(self) -> Known:
        """What recognised sources say of the record by identifiers."""
        return read_known(self.author_ids, self.orcid)


def load_subject(*, user: User, author: Author, claim: Claim | None, for_update: bool) -> Subject:
    """Read who claims what. for_update: nobody else changes the addresses and accounts until the transaction ends."""
    addresses = EmailAddress.objects.filter(user=user).order_by("pk")
    accounts = SocialAccount.objects.filter(user=user, provider="orcid").order_by("pk")
    if for_update:
        addresses, accounts = addresses.select_for_update(), accounts.select_for_update()
    confirmed = [address.email for address in addresses if address.verified]
    account = next(iter(accounts), None)
    standing = author.merged_into_id or author.pk
    ids = list(
        Author.objects.filter(Q(pk=standing) | Q(merged_into=standing))
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    names = (
        AuthorName.objects.filter(author__in=ids)
        .order_by("-works_count", "pk")
        .values_list("display_name", flat=True)
    )
    overrides = NameOverride.objects.filter(author__in=ids).order_by("pk").values_list("name", flat=True)
    every = dict.fromkeys([author.display_name, *names[:200], *overrides])
    return Subject(user, author, claim, timezone.now(), ids, list(every), confirmed, account)


def account_name(subject: Subject) -> Check:
    """Return whether the name that the member goes by here fits the record's; neither name proves anything."""
    own, here = subject.user.display_name[:150], subject.author.display_name[:200]
    if subject.own_fit is Fit.NONE:
        named = (
            f"The name of your account, {own}, does not fit {here}." if own else "Your account has no name."
        )
        return Check("account_name", Outcome.NOT_MET, f"{named} You can change it in your settings.")
    return Check("account_name", Outcome.MET, f"The name of your account fits {here}.")


def read_person(data: dict[str, object]) -> AuthorRecord | None:
    """Return the person of an ORCID record, as ORCID answers it; None where it says nothing usable."""
    try:
        content = json.dumps(data).encode()
        first = next(iter(orcid.read_stream(io.BytesIO(content), "ORCID record")), None)
    except (UnreadableFile, ValueError, RecursionError):
        return None
    if not isinstance(first, AuthorRecord) or first.withdrawn or first.merged_into:
        return None
    return first
