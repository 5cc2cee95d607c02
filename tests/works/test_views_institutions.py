"""The page of an institution as ROR and others describe it."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.test import SimpleTestCase, TestCase
from django.test.utils import CaptureQueriesContext

from tests.factories import make_author, make_institution, make_work
from works.models import Affiliation, AuthorshipInstitution, Institution, SourceRecord
from works.search import search_institutions
from works.services.search_documents import refresh_institution_search
from works.views.institutions import web_address

WHEN = datetime(2026, 10, 3, tzinfo=UTC)


def describe(place: Institution, provider: str, record_id: str, **payload: Any) -> SourceRecord:
    return SourceRecord.objects.create(
        provider=provider, entity="institution", record_id=record_id, digest=b"", payload=payload, observed_at=WHEN,
        imported_at=WHEN,
    )  # fmt: skip


class InstitutionPageTests(TestCase):
    def setUp(self) -> None:
        self.place = make_institution(
            "Tufts University", ror="05wvpxv85", city="Medford", country_code="US", homepage="https://www.tufts.edu/",
            acronyms=["TU"], name_variants=["Universität Tufts", "جامعة تافتس", "タフツ大学"],
        )  # fmt: skip
        for scheme, value in (
            ("grid", "grid.429997.8"),
            ("isni", "0000000419367531"),
            ("wikidata", "Q835960"),
        ):
            self.place.identifiers.create(scheme=scheme, value=value)
        self.url = self.place.get_absolute_url()

    def test_it_shows_place_names_homepage_and_identifiers(self) -> None:
        page = self.client.get(self.url)
        for words in (
            "<bdi>Medford</bdi>, US", "<bdi>TU</bdi>", '<bdi lang="">جامعة تافتس</bdi>',
            '<a href="https://www.tufts.edu/" rel="nofollow noopener external"><bdi>tufts.edu</bdi></a>',
            'href="https://ror.org/05wvpxv85"', 'href="https://www.grid.ac/institutes/grid.429997.8"',
            'href="https://isni.org/isni/0000000419367531"', 'href="https://www.wikidata.org/wiki/Q835960"',
        ):  # fmt: skip
            with self.subTest(words):
                self.assertContains(page, words)

    def test_it_says_which_record_gave_what(self) -> None:
        record = describe(self.place, "ror", "05wvpxv85")
        self.place.provenance = {"display_name": record.pk, "city": record.pk}
        self.place.save(update_fields=["provenance"])
        lines = self.client.get(self.url).context["sources"]
        self.assertEqual(
            [(line.provider, line.address, line.gives) for line in lines],
            [("ROR", "https://ror.org/05wvpxv85", ["city", "name"])],
        )

    def test_one_that_only_works_name_says_whose_records_those_are(self) -> None:
        work = make_work()
        record = SourceRecord.objects.create(
            provider="openalex",
            record_id="W1",
            work=work,
            digest=b"",
            payload={},
            observed_at=WHEN,
            imported_at=WHEN,
        )
        self.place.identifiers.filter(scheme="ror").update(record=record)
        page = self.client.get(self.url)
        self.assertEqual(page.context["sources"], [])
        self.assertContains(page, "stand in records of works, given by OpenAlex.")

    def test_one_that_ended_names_who_came_after(self) -> None:
        after = make_institution("Tufts Medical Center")
        Institution.objects.filter(pk=self.place.pk).update(status="inactive", successor=after)
        page = self.client.get(self.url)
        self.assertContains(page, "This organisation is no longer active")
        self.assertContains(page, f'<a href="{after.get_absolute_url()}"><bdi>Tufts Medical Center</bdi></a>')

    def test_one_that_was_withdrawn_leads_to_who_came_after_and_rings_end(self) -> None:
        first, second, third = (make_institution(f"Place {n}") for n in range(3))
        for place, after in ((first, second), (second, third)):
            Institution.objects.filter(pk=place.pk).update(status="withdrawn", successor=after)
        response = self.client.get(first.get_absolute_url())
        self.assertRedirects(response, third.get_absolute_url(), 301)
        Institution.objects.filter(pk=third.pk).update(status="withdrawn", successor=first)
        page = self.client.get(first.get_absolute_url())
        self.assertContains(page, "ROR withdrew this record.")
        refresh_institution_search([first.pk, second.pk, third.pk])
        self.assertEqual(list(search_institutions("place")), [])

    def test_one_that_was_withdrawn_for_nobody_has_its_page(self) -> None:
        Institution.objects.filter(pk=self.place.pk).update(status="withdrawn")
        self.assertContains(self.client.get(self.url), "ROR withdrew this record.")
        refresh_institution_search([self.place.pk])
        self.assertEqual(list(search_institutions("tufts")), [self.place])

    def test_people_whom_only_a_text_places_here_are_marked(self) -> None:
        stated, matched = make_author("Ada Stated"), make_author("Bob Matched")
        make_work(authors=[stated], institution=self.place)
        work = make_work(authors=[matched], institution=self.place)
        work.authorships.update(raw_affiliation_strings=["Tufts Univ."])
        AuthorshipInstitution.objects.filter(authorship__work=work).update(matched=True)
        page = self.client.get(f"{self.url}?tab=people")
        self.assertContains(page, "Matched from the affiliation text “Tufts Univ.”, as given by a source.", 1)

    def test_it_asks_as_often_for_one_person_as_for_thirty(self) -> None:
        counts = []
        for number in (1, 30):
            place = make_institution(f"Place {number}", ror=f"0000000{number:02d}")
            record = describe(place, "ror", place.ror)
            for n in range(number):
                Affiliation.objects.create(
                    author=make_author(f"Author {n}"),
                    institution=place,
                    works_count=n % 2,
                    first_year=2000,
                    record=record,
                )
                make_work(authors=1, institution=place)
            for tab in ("works", "people"):
                with CaptureQueriesContext(connection) as caught:
                    self.client.get(f"{place.get_absolute_url()}?tab={tab}")
                counts.append(len(caught))
        self.assertEqual(counts[:2], counts[2:])


class WebAddressTests(SimpleTestCase):
    def test_only_addresses_of_the_web_are_linked(self) -> None:
        for text in (
            "", "javascript:alert(1)", "JaVaScRiPt://x/%0aalert(1)", "data:text/html,x", "//evil.example", "/local", "tufts.edu",
            "http://", "https:///x", "http://[::1", "http://a b/", "ftp://x.org/", "https://x.org/\n", "http://[v",
        ):  # fmt: skip
            self.assertIsNone(web_address(text), text)

    def test_it_is_shown_short(self) -> None:
        for text, shown in (
            ("https://www.tufts.edu/", "tufts.edu"), ("http://x.org/a/b/?q=1#c", "x.org/a/b"), ("HTTPS://X.org", "x.org"),
        ):  # fmt: skip
            found = web_address(text)
            self.assertEqual((found and found.href, found and found.shown), (text, shown))
