"""What providers say of institutions, sources, topics and authors themselves."""

from datetime import UTC, datetime
from typing import Any

from django.core.management import call_command
from django.test import TestCase

from bzpeer.lib.names import fold
from profiles.models import Follow
from tests.factories import make_user
from works.ingest.load import store
from works.ingest.records import (
    AffiliationRecord,
    AuthorRecord,
    AuthorshipRecord,
    InstitutionRecord,
    InstitutionRef,
    Record,
    TopicRecord,
    VenueRecord,
    WorkRecord,
)
from works.models import (
    Affiliation,
    Author,
    AuthorIdentifier,
    Institution,
    NameOverride,
    Source,
    SourceRecord,
    Topic,
    Work,
)
from works.services.authors import mark_claimed

ROR = "05wvpxv85"
# Without a word in common, which would be evidence.
TITLES = [
    "",
    "Sheep counted by tired shepherds",
    "Volcanic ash over Iceland",
    "Sorting networks without comparisons",
]
LATER = datetime(2025, 1, 1, tzinfo=UTC)


def bring(*records: Record) -> None:
    """Store records, each in a run of its provider, and rebuild what they change."""
    for record in records:
        store(record.provider, [record], ["a test"])
    call_command("rebuild", verbosity=0)


def ror(value: str = ROR, name: str = "Example University", **fields: Any) -> InstitutionRecord:
    return InstitutionRecord(
        provider="ror", record_id=value, identifiers=(("ror", value),), display_name=name, **fields
    )


def work(number: int, *lines: AuthorshipRecord, **fields: Any) -> WorkRecord:
    return WorkRecord(
        provider="openalex", record_id=f"W{number}", identifiers=(("openalex", f"W{number}"),), type="article",
        title=TITLES[number], authorships=lines, publication_year=2020, **fields,
    )  # fmt: skip


def at(name: str, *institutions: InstitutionRef, **fields: Any) -> AuthorshipRecord:
    return AuthorshipRecord(raw_name=name, institutions=institutions, **fields)


class InstitutionTests(TestCase):
    def test_a_ror_record_says_more_of_an_institution_that_works_mention(self) -> None:
        bring(work(1, at("Ann Smith", InstitutionRef("Example Univ", openalex="I1", ror=ROR))))
        bring(
            ror(
                city="Ghent",
                country_code="BE",
                domains=("example.edu",),
                names=("Voorbeeld",),
                acronyms=("EU",),
            )
        )
        institution = Institution.objects.get()
        self.assertEqual(
            (institution.display_name, institution.city, institution.country_code, institution.domains, institution.acronyms),
            ("Example University", "Ghent", "BE", ["example.edu"], ["EU"]),
        )  # fmt: skip
        record = SourceRecord.objects.get(provider="ror")
        self.assertEqual(institution.provenance["city"], record.pk)
        self.assertEqual(institution.works_count, 1)

    def test_a_newer_record_updates_and_an_older_one_does_not(self) -> None:
        bring(ror(name="New name", observed_at=LATER))
        bring(ror(name="Old name"))
        self.assertEqual(Institution.objects.get().display_name, "New name")

    def test_rows_that_a_record_names_together_become_one_with_followers_and_works(self) -> None:
        bring(work(1, at("Ann Smith", InstitutionRef("One", openalex="I1"))))
        bring(work(2, at("Bo Jones", InstitutionRef("Two", ror=ROR))))
        ann, bo = make_user(), make_user()
        one, two = Institution.objects.order_by("pk")
        Follow.objects.create(user=ann, institution=one)
        Follow.objects.create(user=ann, institution=two)
        Follow.objects.create(user=bo, institution=two)
        bring(
            InstitutionRecord(
                provider="openalex",
                record_id="I1",
                identifiers=(("openalex", "I1"), ("ror", ROR)),
                display_name="Both",
            )
        )
        both = Institution.objects.get()
        self.assertEqual(
            set(Follow.objects.values_list("user", "institution")), {(ann.pk, both.pk), (bo.pk, both.pk)}
        )
        self.assertEqual(Work.objects.filter(authorships__institutions=both).count(), 2)
        self.assertEqual(set(Affiliation.objects.values_list("institution", flat=True)), {both.pk})

    def test_an_organisation_points_to_the_one_that_came_after_it(self) -> None:
        successor = ("ror", "03yrm5c26")
        bring(ror("03yrm5c26", "After"), ror(name="Before", status="inactive", successors=(successor,)))
        before = Institution.objects.get(display_name="Before")
        self.assertEqual((before.status, before.successor.display_name), ("inactive", "After"))

    def test_a_withdrawn_duplicate_leads_to_the_record_that_stands(self) -> None:
        bring(ror("03yrm5c26", "Stands"), ror(name="Duplicate"))
        gone = Institution.objects.get(display_name="Duplicate").pid
        bring(
            ror(
                name="Duplicate",
                status="withdrawn",
                withdrawn=True,
                merged_into="03yrm5c26",
                observed_at=LATER,
            )
        )
        self.assertEqual(Institution.objects.get().display_name, "Stands")
        response = self.client.get(f"/institutions/{gone}/x/", follow=True)
        self.assertContains(response, "Stands")


class OtherEntityTests(TestCase):
    def test_a_source_is_described_by_its_own_record(self) -> None:
        from works.ingest.records import SourceRef

        bring(work(1, source=SourceRef("J Ex", issn=("1234-5679",))))
        bring(
            VenueRecord(
                provider="openalex", record_id="S1", identifiers=(("openalex", "S1"), ("issn", "1234-5679")),
                display_name="Journal of Examples", type="journal",
            )
        )  # fmt: skip
        source = Source.objects.get()
        self.assertEqual(
            (source.display_name, source.type, source.works_count), ("Journal of Examples", "journal", 1)
        )

    def test_a_topic_comes_with_those_above_it(self) -> None:
        lineage = (
            ("subfields/1702", "Artificial Intelligence"),
            ("fields/17", "Computer Science"),
            ("domains/3", "Physical Sciences"),
        )
        bring(
            TopicRecord(
                provider="openalex", record_id="T10181", identifiers=(("openalex", "T10181"),), display_name="NLP",
                description="Words.", lineage=lineage,
            )
        )  # fmt: skip
        topic = Topic.objects.get(display_name="NLP")
        self.assertEqual(
            (topic.description, topic.parent.display_name), ("Words.", "Artificial Intelligence")
        )
        self.assertEqual(topic.parent.parent.parent.level, "domain")


class AuthorTests(TestCase):
    IDS = (("orcid", "0000-0002-1825-0097"), ("openalex", "A1"))

    def person(self, provider: str = "orcid", **fields: Any) -> AuthorRecord:
        values = {
            "record_id": "0000-0002-1825-0097" if provider == "orcid" else "A1",
            "identifiers": self.IDS,
            "display_name": "Ann Smith",
        }
        return AuthorRecord(provider=provider, **values | fields)

    def test_a_person_without_works_has_a_page_with_names_and_affiliations(self) -> None:
        bring(ror())
        here = AffiliationRecord(
            institution=InstitutionRef("Example University", ror=ROR), first_year=2010, last_year=2015
        )
        bring(self.person(names=("安史",), affiliations=(here,)))
        author = Author.objects.get()
        self.assertEqual(
            (author.display_name, author.orcid, author.works_count), ("Ann Smith", "0000-0002-1825-0097", 0)
        )
        self.assertEqual(set(author.names.values_list("display_name", flat=True)), {"Ann Smith", "安史"})
        affiliation = author.affiliations.get()
        self.assertEqual(
            (affiliation.first_year, affiliation.last_year, affiliation.works_count), (2010, 2015, 0)
        )

    def test_lines_with_either_identifier_are_the_person_that_a_record_says(self) -> None:
        bring(work(1, at("Ann Smith", orcid="0000-0002-1825-0097"), at("Bo Jones")))
        bring(work(2, at("Ann Smith", openalex="A1"), at("Cy Brown")))
        self.assertEqual(Author.objects.public().filter(names__display_name="Ann Smith").count(), 2)
        bring(self.person())
        author = Author.objects.public().get(display_name="Ann Smith")
        self.assertEqual((author.works_count, author.identifiers.count()), (2, 2))

    def test_claimed_authors_are_never_joined_by_a_record(self) -> None:
        bring(work(1, at("Ann Smith", orcid="0000-0002-1825-0097")), work(2, at("Ann Smith", openalex="A1")))
        for author in Author.objects.public():
            mark_claimed(author.pk)
        bring(self.person())
        self.assertEqual(sorted(Author.objects.public().values_list("works_count", flat=True)), [1, 1])

    def test_the_name_of_the_persons_own_record_is_shown(self) -> None:
        bring(work(1, at("A. Smith", orcid="0000-0002-1825-0097")), self.person(display_name="Ann B. Smith"))
        self.assertEqual(Author.objects.get().display_name, "Ann B. Smith")

    def test_a_hidden_name_stays_hidden_whatever_is_imported_and_a_chosen_one_is_shown(self) -> None:
        bring(
            work(1, at("Ann Former", orcid="0000-0002-1825-0097")),
            work(2, at("Ann Smith", orcid="0000-0002-1825-0097")),
        )
        author = Author.objects.public().get(identifiers__value="0000-0002-1825-0097")
        NameOverride.objects.create(
            author=author, name="Ann Former", folded=fold("Ann Former"), is_hidden=True
        )
        NameOverride.objects.create(author=author, name="Ann S.", folded=fold("Ann S."), is_hidden=False)
        bring(work(3, at("Ann Former", orcid="0000-0002-1825-0097")), self.person(names=("Ann Former",)))
        author.refresh_from_db()
        self.assertEqual(author.display_name, "Ann S.")
        self.assertNotIn("Ann Former", set(author.names.values_list("display_name", flat=True)))

    def test_an_author_merged_at_the_source_is_one_here(self) -> None:
        bring(
            work(1, at("Ann Smith", openalex="A1"), at("Bo Jones")),
            work(2, at("Ann Smith", openalex="A2"), at("Cy Brown")),
        )
        bring(
            AuthorRecord(
                provider="openalex",
                record_id="A2",
                identifiers=(("openalex", "A2"),),
                display_name="",
                merged_into="A1",
            )
        )
        author = Author.objects.public().get(identifiers__value="A1")
        self.assertEqual(author.works_count, 2)
        self.assertEqual(AuthorIdentifier.objects.get(value="A2").author, author)


class WithdrawnTests(TestCase):
    def test_a_work_merged_at_the_source_is_one_and_the_old_address_leads_on(self) -> None:
        bring(work(1, at("Ann Smith")), work(2, at("Ann Smith", orcid="0000-0002-1825-0097")))
        pids = dict(Work.objects.values_list("identifiers__value", "pid"))
        bring(
            WorkRecord(
                provider="openalex",
                record_id="W2",
                type="",
                identifiers=(("openalex", "W2"),),
                merged_into="W1",
                observed_at=LATER,
            )
        )
        only = Work.objects.get()
        self.assertEqual(set(only.identifiers.values_list("value", flat=True)), {"W1", "W2"})
        gone = next(pid for pid in pids.values() if pid != only.pid)
        self.assertEqual(
            self.client.get(f"/works/{gone}/x/", follow=True).redirect_chain[-1][0].split("/")[2], only.pid
        )

    def test_a_merge_notice_of_works_we_never_had_makes_no_work(self) -> None:
        bring(
            WorkRecord(
                provider="openalex",
                record_id="W2",
                type="",
                identifiers=(("openalex", "W2"),),
                merged_into="W1",
            )
        )
        self.assertEqual((Work.objects.count(), SourceRecord.objects.count()), (0, 1))

    def test_a_work_that_its_source_takes_back_keeps_its_page_and_counts_for_nobody(self) -> None:
        bring(work(1, at("Ann Smith", orcid="0000-0002-1825-0097")))
        author = Author.objects.get()
        bring(
            WorkRecord(
                provider="openalex",
                record_id="W1",
                type="",
                identifiers=(("openalex", "W1"),),
                withdrawn=True,
                observed_at=LATER,
            )
        )
        only = Work.objects.get()
        self.assertEqual((only.is_withdrawn, only.authors_count, only.authorships.count()), (True, 0, 0))
        self.assertEqual(only.title, TITLES[1])
        author.refresh_from_db()
        self.assertEqual(author.works_count, 0)

    def test_one_source_that_still_has_the_work_is_enough(self) -> None:
        bring(
            work(
                1,
                at("Ann Smith"),
            )
        )
        bring(
            WorkRecord(
                provider="crossref", record_id="10.1/x", type="article", identifiers=(("doi", "10.1/x"), ("openalex", "W1")),
                title=TITLES[1], authorships=(AuthorshipRecord("Ann Smith"),),
            )
        )  # fmt: skip
        bring(
            WorkRecord(
                provider="openalex",
                record_id="W1",
                type="",
                identifiers=(("openalex", "W1"),),
                withdrawn=True,
                observed_at=LATER,
            )
        )
        only = Work.objects.get()
        self.assertEqual((only.is_withdrawn, only.authors_count), (False, 1))


class RetractionTests(TestCase):
    def test_a_notice_retracts_its_work_whichever_comes_first(self) -> None:
        paper = WorkRecord(
            provider="crossref",
            record_id="10.1/a",
            type="article",
            title="A result that was wrong",
            identifiers=(("doi", "10.1/a"),),
        )
        notice = WorkRecord(
            provider="crossref", record_id="10.1/b", type="retraction", title="Notice about a result", identifiers=(("doi", "10.1/b"),),
            retracts=(("doi", "10.1/a"),),
        )  # fmt: skip
        for order in ((paper, notice), (notice, paper)):
            with self.subTest(order[0].record_id):
                Work.objects.all().delete()
                SourceRecord.objects.all().delete()
                bring(*order)
                self.assertEqual(
                    dict(Work.objects.values_list("identifiers__value", "is_retracted")),
                    {"10.1/a": True, "10.1/b": False},
                )
