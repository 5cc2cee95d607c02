"""Where records lead, what sources say of themselves and against each other, and how we know of affiliations."""

from datetime import UTC, datetime
from typing import Any

from django.test import SimpleTestCase, TestCase

from tests.factories import make_author, make_institution, make_work
from works.grounds import Ground, add_grounds
from works.models import (
    Affiliation,
    Author,
    AuthorIdentifier,
    Authorship,
    AuthorshipInstitution,
    InstitutionIdentifier,
    Provider,
    SourceRecord,
    Work,
    WorkIdentifier,
)
from works.provenance import (
    PROVIDER_PAGES,
    address_of,
    disagreements,
    links_of,
    provider_list,
    record_address,
    retracted_by,
    sources_of,
    withdrawals,
)

WHEN = datetime(2026, 10, 3, tzinfo=UTC)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def record(
    provider: str, record_id: str = "1", entity: str = "work", pk: int = 1, **payload: Any
) -> SourceRecord:
    return SourceRecord(
        pk=pk, provider=provider, record_id=record_id, entity=entity, payload=payload, observed_at=WHEN, imported_at=WHEN
    )  # fmt: skip


class AddressTests(SimpleTestCase):
    def test_every_provider_shows_its_records_at_an_address_but_for_files_of_the_host(self) -> None:
        for provider, record_id, address in (
            ("openalex", "W2741809807", "https://openalex.org/W2741809807"),
            ("arxiv", "1912.12953", "https://arxiv.org/abs/1912.12953"),
            ("crossref", "10.1109/isca45697.2020.00070", "https://doi.org/10.1109/isca45697.2020.00070"),
            ("orcid", "0000-0002-1825-0097/1234567", "https://orcid.org/0000-0002-1825-0097"),
            ("ror", "05wvpxv85", "https://ror.org/05wvpxv85"),
            ("dblp", "conf/isca/KeGCWX20", "https://dblp.org/rec/conf/isca/KeGCWX20"),
            ("acl", "2020.acl-main.12", "https://aclanthology.org/2020.acl-main.12"),
            ("bibtex", "doi:10.1234/x", ""),
            ("ris", "digest:00ff", ""),
            ("csl", "arxiv:1912.12953", ""),
        ):
            with self.subTest(provider):
                self.assertEqual(record_address(record(provider, record_id)), address)
        self.assertEqual(set(PROVIDER_PAGES), set(Provider) - {"bibtex", "ris", "csl"})

    def test_a_person_leads_to_their_own_page_not_to_a_works(self) -> None:
        for scheme, value, address in (
            ("dblp", "12/345-1", "https://dblp.org/pid/12/345-1"),
            ("dblp", "Yang Liu 0001", "https://dblp.org/search?q=author%3AYang_Liu_0001%3A"),
            ("acl", "yang-liu-umich", "https://aclanthology.org/people/yang-liu-umich/"),
            ("scopus", "7004212771", "https://www.scopus.com/authid/detail.uri?authorId=7004212771"),
            ("isni", "0000000121032683", "https://isni.org/isni/0000000121032683"),
            ("wikidata", "Q42", "https://www.wikidata.org/wiki/Q42"),
            ("openalex", "A5023888391", "https://openalex.org/A5023888391"),
        ):
            self.assertEqual(address_of("author", scheme, value), address)
        self.assertEqual(address_of("work", "acl", "P19-1001"), "https://aclanthology.org/P19-1001")
        self.assertEqual(address_of("work", "pmid", "28777662"), "https://pubmed.ncbi.nlm.nih.gov/28777662")
        self.assertEqual(
            address_of("institution", "grid", "grid.26009.3d"), "https://www.grid.ac/institutes/grid.26009.3d"
        )
        self.assertEqual(address_of("topic", "arxiv", "cs.AR"), "https://arxiv.org/list/cs.AR/recent")
        self.assertEqual(address_of("work", "unheard-of", "1"), "")

    def test_hostile_values_stay_inside_their_address(self) -> None:
        for entity, scheme in (
            ("author", "dblp"),
            ("author", "acl"),
            ("work", "dblp"),
            ("institution", "grid"),
        ):
            address = address_of(entity, scheme, '"><script>/../?#\u202e')
            self.assertTrue(address.startswith("https://"))
            self.assertFalse(set('"<> \u202e') & set(address), address)

    def test_an_identifier_is_shown_by_its_address_where_that_is_readable(self) -> None:
        ids = [
            AuthorIdentifier(scheme="orcid", value="0000-0002-1825-0097"),
            AuthorIdentifier(scheme="scopus", value="7004212771"),
        ]
        self.assertEqual(
            [(link.name, link.shown) for link in links_of("author", ids)],
            [("ORCID", "https://orcid.org/0000-0002-1825-0097"), ("Scopus", "7004212771")],
        )
        doi = links_of("work", [WorkIdentifier(scheme="doi", value="10.1/a<b>c")])[0]
        self.assertEqual(
            (doi.address, doi.shown), ("https://doi.org/10.1/a%3Cb%3Ec", "https://doi.org/10.1/a<b>c")
        )
        self.assertEqual(
            links_of("institution", [InstitutionIdentifier(scheme="grid", value="grid.1")])[0].name, "GRID"
        )


class SourcesTests(SimpleTestCase):
    def test_a_line_says_what_the_page_took_and_what_became_of_the_record(self) -> None:
        work = Work(provenance={"title": 1, "authorships": 1, "type": 2})
        records = [
            record("acl", "P19-1001", pk=1),
            record("bibtex", "digest:00ff", pk=2),
            record("openalex", "W1", pk=3, merged_into="W2"),
            record("dblp", "conf/x/1", pk=4, withdrawn=True),
        ]
        self.assertEqual(
            [(line.provider, line.record_id, line.gives, line.gone) for line in sources_of(work, records)],
            [
                ("ACL Anthology", "P19-1001", ["authors", "title"], ""),
                ("BibTeX", "", ["kind"], ""),
                ("OpenAlex", "W1", [], "merged there into W2"),
                ("dblp", "conf/x/1", [], "withdrawn there"),
            ],
        )

    def test_a_date_that_the_provider_does_not_give_is_none(self) -> None:
        undated = record("csl")
        undated.observed_at = NEVER
        self.assertEqual(sources_of(Work(), [undated])[0].observed_at, None)
        self.assertEqual(sources_of(Work(), [record("acl")])[0].observed_at, WHEN)

    def test_withdrawals_come_in_the_order_in_which_they_were_read(self) -> None:
        late, early, live = (
            record("acl", "P19-1001", pk=1, withdrawn=True),
            record("openalex", "W1", pk=2, merged_into="W2"),
            record("crossref", "10.1/x", pk=3),
        )
        early.imported_at, early.observed_at = datetime(2026, 1, 1, tzinfo=UTC), NEVER
        found = withdrawals([late, live, early])
        self.assertEqual(
            [(gone.provider, gone.record_id, gone.said_at, gone.merged_into) for gone in found],
            [("OpenAlex", "W1", None, "W2"), ("ACL Anthology", "P19-1001", WHEN, "")],
        )
        self.assertEqual(found[0].known_since.year, 2026)

    def test_only_what_live_records_say_can_differ(self) -> None:
        records = [
            record("acl", "P19-1001", pk=1, title="<i>A</i> study", publication_year=2019),
            record("bibtex", "digest:1", pk=2, title="A study", publication_year=2020),
            record("openalex", "W1", pk=3, title="Quite another", withdrawn=True),
            record(
                "orcid", "0000-0002-1825-0097/1", pk=4, partial_authors=True, authorships=[{"raw_name": "A"}]
            ),
            record("crossref", "10.1/x", pk=5, authorships=[{"raw_name": "A"}, {"raw_name": "B"}]),
        ]
        self.assertEqual(
            [(item.field, item.values) for item in disagreements(records)],
            [("year", [("ACL Anthology P19-1001", "2019"), ("BibTeX file", "2020")])],
        )

    def test_who_says_that_a_work_is_retracted(self) -> None:
        records = [
            record("openalex", is_retracted=True),
            record("acl", is_retracted=True, withdrawn=True),
            record("crossref"),
        ]
        self.assertEqual(provider_list(retracted_by(records)), "OpenAlex")
        self.assertEqual(provider_list([]), "a source")
        self.assertEqual(
            provider_list(["crossref", "acl", "dblp", "acl"]), "ACL Anthology, Crossref and dblp"
        )


class GroundWordsTests(SimpleTestCase):
    def test_a_source_that_states_it_is_named_before_all_else(self) -> None:
        ground = Ground(stated_by=["openalex", "crossref"], texts=["Tufts"], texts_from=["acl"])
        self.assertEqual((ground.matched, ground.sentence), (False, "stated by Crossref and OpenAlex"))

    def test_what_we_matched_is_called_so_with_the_text(self) -> None:
        ground = Ground(texts=["Tufts Univ., Medford"], texts_from=["acl"])
        self.assertTrue(ground.matched)
        self.assertEqual(
            ground.sentence,
            "matched from the affiliation text “Tufts Univ., Medford”, as given by ACL Anthology",
        )
        many = Ground(texts=["a", "b", "c", "d", "e"], texts_from=[""])
        self.assertEqual(
            many.sentence, "matched from the affiliation text “a”, “b”, “c” and 2 more, as given by a source"
        )

    def test_a_record_about_the_person_says_whose_word_it_is(self) -> None:
        for ground, words in (
            (Ground(described_by="orcid"), "stated only in the person's own ORCID record"),
            (Ground(described_by="orcid", asserted_by="Tufts"), "asserted by Tufts in the ORCID record"),
            (Ground(described_by="openalex"), "stated by OpenAlex about the person"),
            (Ground(), ""),
        ):
            self.assertEqual((ground.matched, ground.sentence), (False, words))


class GroundTests(TestCase):
    def setUp(self) -> None:
        self.author = make_author("Ada Smith")
        self.place = make_institution("Tufts University", ror="05wvpxv85")

    def ground_of(self, author: Author | None = None) -> Ground:
        row = Affiliation.objects.get(author=author or self.author, institution=self.place)
        with self.assertNumQueries(1):
            add_grounds([row])
        return row.ground  # type: ignore[attr-defined]

    def match(self, work: Work, *texts: str) -> None:
        source = SourceRecord.objects.create(
            provider="acl", record_id=f"P19-{work.pk}", work=work, digest=b"", payload={}, observed_at=WHEN, imported_at=WHEN
        )  # fmt: skip
        Authorship.objects.filter(work=work).update(raw_affiliation_strings=list(texts), record=source)
        AuthorshipInstitution.objects.filter(authorship__work=work).update(matched=True)

    def describe(self, provider: str, **affiliation: object) -> None:
        affiliation["institution"] = {"display_name": "Tufts", "ror": "05wvpxv85"}
        other = {"institution": {"display_name": "MIT", "ror": "042nb2s44"}, "asserted_by": "MIT"}
        source = SourceRecord.objects.create(
            provider=provider, entity="author", record_id="1", digest=b"", payload={"affiliations": [other, affiliation]},
            observed_at=WHEN, imported_at=WHEN,
        )  # fmt: skip
        Affiliation.objects.create(
            author=self.author, institution=self.place, first_year=2020, works_count=0, record=source
        )

    def test_a_work_that_states_it_outweighs_a_text_in_which_we_found_it(self) -> None:
        self.match(make_work(authors=[self.author], institution=self.place), "Tufts Univ.")
        self.assertEqual(self.ground_of(), Ground(texts=["Tufts Univ."], texts_from=["acl"]))
        make_work(authors=[self.author], institution=self.place)
        self.assertFalse(self.ground_of().matched)

    def test_one_without_a_record_is_stated_by_a_source(self) -> None:
        make_work(authors=[self.author], institution=self.place)
        self.assertEqual(self.ground_of().sentence, "stated by a source")

    def test_the_organisation_that_asserts_it_is_read_from_the_persons_record(self) -> None:
        self.describe("orcid", asserted_by="Tufts University")
        self.assertEqual(self.ground_of(), Ground(described_by="orcid", asserted_by="Tufts University"))

    def test_what_the_person_alone_says_is_said_to_be_theirs(self) -> None:
        self.describe("orcid")
        self.assertEqual(self.ground_of(), Ground(described_by="orcid"))

    def test_many_authors_are_asked_for_at_once_and_keep_their_own(self) -> None:
        bob = make_author("Bob Stone")
        self.match(make_work(authors=[self.author], institution=self.place), "Tufts Univ.")
        make_work(authors=[bob], institution=self.place)
        rows = list(Affiliation.objects.order_by("author"))
        with self.assertNumQueries(1):
            add_grounds(rows)
        self.assertEqual([row.ground.matched for row in rows], [True, False])  # type: ignore[attr-defined]
        with self.assertNumQueries(0):
            add_grounds([])
