"""What the tests of claim evidence share: Josiah Carberry, whom ORCID made up, as an import of real records leaves him."""

import json
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.test import TestCase
from django.utils import timezone

from profiles.claims.findings import Check, Finding
from profiles.claims.gathering import gather
from profiles.models import Claim, Researcher, Route, User
from tests.factories import make_user
from tests.works.files import read_bytes
from tests.works.orcid_records import CARBERRY, OTHER, client, external, group, person, record, version
from trust.algorithms import FORMULA_VERSION
from trust.models import TrustScore
from works.ingest import orcid as orcid_reader
from works.ingest.load import store
from works.ingest.records import AuthorshipRecord, InstitutionRecord, InstitutionRef, Record, WorkRecord
from works.models import Author, Authorship, Mark
from works.services.counts import refresh_authors
from works.services.marks import drain
from works.services.resolve import resolve_works

__all__ = ["CARBERRY", "OTHER", "client", "external", "group", "version"]

NAME = "Josiah Carberry"
ROR = "01an7q238"
POTTERY, CRACKS = "10.5555/12345678", "10.5555/cracks"
THIS_YEAR = timezone.now().year


def line(name: str = NAME, **fields: Any) -> AuthorshipRecord:
    return AuthorshipRecord(name, **fields)


def there(name: str = "Brown University", ror: str = ROR) -> tuple[InstitutionRef, ...]:
    return (InstitutionRef(name, ror=ror),)


def paper(
    doi: str = POTTERY,
    title: str = "On the psychoceramics of cracked pots",
    *lines: AuthorshipRecord,
    **fields: Any,
) -> WorkRecord:
    provider = fields.pop("provider", "crossref")
    return WorkRecord(
        provider=provider, record_id=fields.pop("record_id", doi), type="article", title=title,
        identifiers=fields.pop("identifiers", (("doi", doi),)), authorships=lines or (line(),),
        publication_year=fields.pop("publication_year", THIS_YEAR - 1), **fields,
    )  # fmt: skip


def university(
    name: str = "Brown University", ror: str = ROR, *domains: str, **fields: Any
) -> InstitutionRecord:
    return InstitutionRecord(
        provider="ror",
        record_id=ror,
        identifiers=(("ror", ror),),
        display_name=name,
        domains=domains,
        **fields,
    )


def bring(*records: Record) -> None:
    """Import records of one provider, find who is who and count."""
    store(records[0].provider, records, [])
    drain(Mark.What.RESOLVE, resolve_works, batch=1000)
    with transaction.atomic():
        refresh_authors(list(Author.objects.values_list("pk", flat=True)))


def author_of(name: str = NAME) -> Author:
    """Return the one author who has a line by this name."""
    ids = set(Authorship.objects.filter(raw_author_name=name).values_list("author", flat=True))
    assert len(ids) == 1, ids
    return Author.objects.get(pk=ids.pop())


def orcid_record(
    orcid: str = CARBERRY, name: str = NAME, works: Any = (), others: tuple[str, ...] = (), **sections: Any
) -> dict[str, Any]:
    """Return a record 3.0 with these groups of works, by whomever they were added."""
    given, _, family = name.rpartition(" ")
    named = {"given-names": {"value": given}, "family-name": {"value": family}, "credit-name": None}
    other_names = {"other-name": [{"content": other} for other in others]}
    who = person(name=named, path=f"/{orcid}/person", **{"other-names": other_names})
    found = record(list(works), person=who, **sections)
    found["orcid-identifier"] = {"uri": f"https://orcid.org/{orcid}", "path": orcid, "host": "orcid.org"}
    found["path"] = f"/{orcid}"
    return found


def records_in(data: dict[str, Any]) -> list[Record]:
    """Return what an import of an ORCID record brings."""
    return read_bytes(orcid_reader, json.dumps(data).encode(), "record")


def added_by(organisation: str, doi: str, put_code: int = 1) -> dict[str, Any]:
    """Return a work of an ORCID record that an organisation put there by itself."""
    return group(version(put_code, external("doi", doi), source=client(organisation)))


def added_by_hand(doi: str, put_code: int = 1, title: str = "On Pottery") -> dict[str, Any]:
    return group(version(put_code, external("doi", doi), title=title))


def sign_in(user: User, data: dict[str, Any] | None = None, orcid: str = CARBERRY) -> SocialAccount:
    """Let user have signed in with ORCID."""
    data = orcid_record(orcid) if data is None else data
    return SocialAccount.objects.create(user=user, provider="orcid", uid=orcid, extra_data=data)


def confirm(user: User, email: str, verified: bool = True) -> EmailAddress:
    return EmailAddress.objects.create(user=user, email=email, verified=verified)


def forget_addresses(user: User) -> None:
    EmailAddress.objects.filter(user=user).delete()


def give_page(user: User, author: Author, level: int = 3) -> Claim:
    """Let user hold a page whose record was checked this far."""
    claim = Claim.objects.create(user=user, author=author, state=Claim.State.APPROVED)
    Researcher.objects.create(user=user, author=author)
    TrustScore.objects.create(
        author=author,
        value=40,
        level=level,
        parts=[],
        formula_version=FORMULA_VERSION,
        computed_at=timezone.now(),
    )
    return claim


class EvidenceTestCase(TestCase):
    """josiah is whom the record is about; eve has another reason to want it."""

    def setUp(self) -> None:
        self.josiah = make_user(NAME)
        self.eve = make_user("Eve Adams")

    def gather(self, user: User | None = None, author: Author | None = None, **options: Any) -> list[Finding]:
        return gather(user=user or self.josiah, author=author or author_of(), **options)

    def find(
        self, route: Route, user: User | None = None, author: Author | None = None, **options: Any
    ) -> Finding:
        [finding] = [one for one in self.gather(user, author, **options) if one.route == route]
        return finding

    def checks(self, finding: Finding) -> dict[str, str]:
        return {check.name: str(check.outcome) for check in finding.checks}

    def check(self, finding: Finding, name: str) -> Check:
        [check] = [check for check in finding.checks if check.name == name]
        return check
