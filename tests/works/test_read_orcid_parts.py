import json
from datetime import date
from typing import Any
from unittest import TestCase

from tests.works.orcid_records import (
    CARBERRY,
    OTHER,
    author_of,
    client,
    external,
    group,
    person,
    read,
    record,
    version,
    work_of,
)
from works.ingest.records import (
    NEVER,
    AffiliationRecord,
    AssertionRecord,
    InstitutionRef,
    Reject,
    WorkRecord,
    encode,
)


class PersonTests(TestCase):
    def test_the_credit_name_is_shown_and_the_others_kept(self) -> None:
        name = person()["name"] | {"credit-name": {"value": "J. S. Carberry"}}
        others = [
            {"content": "Josiah Stinkney Carberry; J Carberry"},
            {"content": "J. S. Carberry"},
            {"content": "{}"},
        ]
        author = author_of(person=person(**{"name": name, "other-names": {"other-name": others}}))
        self.assertEqual(author.display_name, "J. S. Carberry")
        self.assertEqual(author.names, ("Josiah Carberry", "Josiah Stinkney Carberry", "J Carberry"))

    def test_a_person_of_one_name(self) -> None:
        for family in (None, {"value": "."}, {"value": " "}):
            name = {"given-names": {"value": "Suharto"}, "family-name": family}
            self.assertEqual(author_of(person=person(name=name)).display_name, "Suharto")

    def test_what_is_not_public_is_not_read(self) -> None:
        hidden = {"visibility": "limited"}
        author = author_of(
            person=person(**{
                "biography": {"content": "secret"} | hidden,
                "other-names": {"other-name": [{"content": "Secret Name"} | hidden]},
                "researcher-urls": {"researcher-url": [{"url-name": "x", "url": {"value": "https://secret.example"}} | hidden]},
                "external-identifiers": {"external-identifier": [external("ISNI", "0000000121032683") | hidden]},
            }),
            employments={"employment-summary": [{"organization": {"name": "Secret"}, "visibility": "LIMITED"}]},
            works=None,
        )  # fmt: skip
        self.assertEqual(b"ecret" in encode(author), False)
        self.assertEqual(author.identifiers, (("orcid", CARBERRY),))

    def test_a_work_that_is_not_public_is_a_reject_and_one_version_that_is_is_read(self) -> None:
        items = read(record([group(version(1, visibility="limited"))]))
        self.assertEqual(items[1], Reject("a work that its owner does not show to everybody", "1"))
        work = work_of(version(1, title="Secret", visibility="private", display_index="9"), version(2))
        self.assertEqual((work.record_id, work.title), (f"{CARBERRY}/2", "On Pottery"))

    def test_who_shows_no_name_cannot_be_placed(self) -> None:
        hidden = person(name=person()["name"] | {"visibility": "private"})
        other = version(1) | {"source": client("Crossref")}
        self.assertEqual(
            [item.reason for item in read(record([group(other)], person=hidden))],
            [
                "a record that shows no name to everybody",
                "a work that names nobody; the person's record is needed",
            ],
        )

    def test_identifiers_of_other_registries(self) -> None:
        entries = [
            external("Scopus Author ID", "6602258586"),
            external("Scopus Author ID", "see my page"),
            external("ISNI", "0000 0001 2103 2683"),
            external("ISNI", "0000000121032684"),
            external("Wikidata", "https://www.wikidata.org/wiki/Q42"),
            external("ResearcherID", "A-1009-2008"),
            external("Scopus Author ID", "111111111", "part-of"),
        ]
        author = author_of(person=person(**{"external-identifiers": {"external-identifier": entries}}))
        self.assertEqual(
            author.identifiers,
            (
                ("orcid", CARBERRY),
                ("isni", "0000000121032683"),
                ("scopus", "6602258586"),
                ("wikidata", "Q42"),
            ),
        )

    def test_links_lead_to_the_web(self) -> None:
        addresses = [
            "https://a.example/x",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "http://[",
            "//b",
            "https://c d",
            "",
        ]
        entries = [{"url-name": "My \u202epage", "url": {"value": address}} for address in addresses]
        author = author_of(person=person(**{"researcher-urls": {"researcher-url": entries}}))
        self.assertEqual(author.links, (("My page", "https://a.example/x"),))

    def test_a_closed_record_says_nothing_more(self) -> None:
        closed = {
            "deactivation-date": {"value": 1500000000000},
            "last-modified-date": {"value": 1500000000000},
        }
        name = {
            "given-names": {"value": "Given Names Deactivated"},
            "family-name": {"value": "Family Name Deactivated"},
        }
        for parts in ({"history": closed}, {"person": person(name=name)}):
            author = author_of(**parts)
            self.assertEqual((author.withdrawn, author.merged_into, author.display_name), (True, "", ""))

    def test_a_record_given_up_leads_to_the_one_that_stands(self) -> None:
        answer = f"301 Moved Permanently: This account is deprecated. Please refer to account: https://orcid.org/{OTHER}. ORCID https://orcid.org/{CARBERRY}"
        deprecated = record() | {"deprecated": {"primary-record": {"orcid-identifier": {"path": OTHER}}}}
        for data in ({"response-code": 301, "developer-message": answer, "error-code": 9007}, deprecated):
            [author] = read(data)
            self.assertEqual(
                (author.record_id, author.merged_into, author.withdrawn), (CARBERRY, OTHER, False)
            )
        gone = f"409 Conflict: The ORCID record is deactivated and cannot be edited. Full validation error: {CARBERRY} is deactivated"
        [author] = read({"response-code": 409, "developer-message": gone, "error-code": 9044})
        self.assertEqual((author.record_id, author.withdrawn), (CARBERRY, True))

    def test_people_made_up_for_tests_are_rejects(self) -> None:
        sandbox = record()
        sandbox["orcid-identifier"]["host"] = "sandbox.orcid.org"
        [item] = read(sandbox)
        self.assertEqual(item.reason, "a record of sandbox.orcid.org, where people are made up for tests")
        sample = json.loads(json.dumps(record()).replace(CARBERRY, "8888-8888-8888-8880"))
        [item] = read(sample)
        self.assertTrue(item.reason.startswith("8888-8888-8888-8880 is no iD of ORCID"))

    def test_a_part_alone_is_as_old_as_it_says_or_never(self) -> None:
        [author] = read(person(biography={"last-modified-date": {"value": 1460755375159}, "content": "x"}))
        self.assertEqual(author.observed_at.year, 2016)
        own = version(1)["source"]
        employment = {"source": own, "organization": {"name": "Brown University"}, "visibility": "public"}
        [author] = read({"employment-summary": [employment], "path": f"/{CARBERRY}/employments"})
        self.assertEqual((author.display_name, author.observed_at), ("Josiah Carberry", NEVER))
        self.assertEqual(author.affiliations, (AffiliationRecord(raw="Brown University"),))


class ActivityTests(TestCase):
    def affiliation(self, **fields: Any) -> AffiliationRecord:
        summary = {"organization": {"name": "CERN", "address": {"city": "Geneva", "country": "CH"}}} | fields
        [found] = author_of(educations={"education-summary": [summary]}).affiliations
        return found

    def test_an_organisation_of_ror_is_known_and_others_are_text(self) -> None:
        place = {"name": "CERN", "address": {"city": "Geneva", "region": "Genève", "country": "CH"}}
        known = {
            "disambiguated-organization-identifier": "https://ror.org/01ggx4157",
            "disambiguation-source": "ROR",
        }
        self.assertEqual(
            self.affiliation(organization=place | {"disambiguated-organization": known}),
            AffiliationRecord(institution=InstitutionRef("CERN", ror="01ggx4157", country_code="CH")),
        )
        for source, value in (("GRID", "grid.9132.9"), ("RINGGOLD", "27216"), ("ROR", "27216")):
            other = {"disambiguated-organization-identifier": value, "disambiguation-source": source}
            self.assertEqual(
                self.affiliation(organization=place | {"disambiguated-organization": other}),
                AffiliationRecord(raw="CERN, Geneva, CH"),
            )

    def test_years_that_cannot_be_are_left_out(self) -> None:
        for first, last, expected in (
            ("2000", "2010", (2000, 2010)),
            ("2010", "2000", (None, None)),
            ("0000", "9999", (None, None)),
            ("soon", None, (None, None)),
        ):
            found = self.affiliation(**{"start-date": {"year": {"value": first}}, "end-date": {"year": last}})
            self.assertEqual((found.first_year, found.last_year), expected)

    def test_only_organisations_assert(self) -> None:
        own = {"source-orcid": {"path": CARBERRY}, "source-name": {"value": "Josiah Carberry"}}
        for source, expected in (
            (client("Brown University"), "Brown University"),
            (client("Brown University", origin={"assertion-origin-orcid": {"path": CARBERRY}}), ""),
            (client("Pure", origin={"assertion-origin-client-id": {"path": "APP-2"}, "assertion-origin-name": {"value": "Brown"}}), "Brown"),
            (client("Crossref Metadata Search", "0000-0002-3054-1567"), ""),
            (client(""), "APP-1"),
            (own, ""),
            ({"source-orcid": {"path": OTHER}, "source-name": {"value": "An Old iD of the Same Person"}}, ""),
            (None, ""),
        ):  # fmt: skip
            with self.subTest(source):
                self.assertEqual(self.affiliation(source=source).asserted_by, expected)

    def test_assertions_of_every_kind(self) -> None:
        source = client("A Funder")
        place = {
            "name": "CERN",
            "disambiguated-organization": {
                "disambiguated-organization-identifier": "https://ror.org/01ggx4157",
                "disambiguation-source": "ROR",
            },
        }
        year = {"year": {"value": "2015"}}
        author, _ = read(
            record(
                [group(version(1, external("doi", "10.5555/1"), source=source, publication_date=year))],
                fundings={"group": [{"funding-summary": [{"source": source, "title": {"title": {"value": "A Grant"}}, "start-date": year, "external-ids": {"external-id": [external("grant_number", "1"), external("doi", "10.5555/g")]}}]}]},
                employments={"affiliation-group": [{"summaries": [{"employment-summary": {"source": source, "organization": place, "start-date": year}}]}]},
                peer_reviews={"group": [{"peer-review-group": [{"peer-review-summary": [{"source": source, "convening-organization": {"name": "Elsevier"}, "review-group-id": "issn:0049-4747", "completion-date": year}]}]}]},
            )
        )  # fmt: skip
        self.assertEqual(
            set(author.assertions),
            {
                AssertionRecord("work", "On Pottery", "A Funder", (("doi", "10.5555/1"),), 2015),
                AssertionRecord("funding", "A Grant", "A Funder", (("doi", "10.5555/g"),), 2015),
                AssertionRecord("affiliation", "CERN", "A Funder", (("ror", "01ggx4157"),), 2015),
                AssertionRecord("peer_review", "Elsevier", "A Funder", (("issn", "0049-4747"),), 2015),
            },
        )

    def test_an_organisation_asserts_its_own_identifiers_and_not_those_beside_it(self) -> None:
        by_crossref = version(1, external("doi", "10.5555/1"), source=client("Crossref"))
        author, work = read(record([group(by_crossref, version(2, external("doi", "10.5555/2")))]))
        self.assertEqual([a.identifiers for a in author.assertions], [(("doi", "10.5555/1"),)])
        self.assertEqual(work.identifiers, (("doi", "10.5555/1"), ("doi", "10.5555/2")))


class WorkTests(TestCase):
    def test_the_preferred_version_stands_for_the_group(self) -> None:
        work = work_of(version(1, title="First"), version(2, title="Preferred", display_index=1))
        self.assertEqual((work.record_id, work.title), (f"{CARBERRY}/2", "Preferred"))
        self.assertEqual(work_of(version(1, title="First"), version(2)).title, "First")

    def test_only_its_own_identifiers_are_a_works(self) -> None:
        for entry, expected in (
            (external("doi", "https://doi.org/10.5555/ABC"), (("doi", "10.5555/abc"),)),
            (external("doi", "10.48550/arXiv.2203.07424"), (("arxiv", "2203.07424"), ("doi", "10.48550/arxiv.2203.07424"))),
            (external("doi", "see link", url="https://doi.org/10.5555/abc"), (("doi", "10.5555/abc"),)),
            (external("doi", "10.5555/abc", None), (("doi", "10.5555/abc"),)),
            (external("doi", "10.5555/abc", "part-of"), ()),
            (external("doi", "10.5555/abc", "version-of"), ()),
            (external("doi", "10.5555/abc", "funded-by"), ()),
            (external("arxiv", "arXiv:1912.12953v2"), (("arxiv", "1912.12953"),)),
            (external("pmid", "19255415"), (("pmid", "19255415"),)),
            (external("uri", "https://doi.org/10.5555/abc"), (("doi", "10.5555/abc"),)),
            (external("uri", "http://arxiv.org/abs/1912.12953"), (("arxiv", "1912.12953"),)),
            (external("uri", "https://journal.example/10.5555/abc"), ()),
            (external("isbn", "9783319078816"), ()),
        ):  # fmt: skip
            with self.subTest(entry):
                self.assertEqual(work_of(version(1, entry)).identifiers, expected)

    def test_types_in_openalex_words(self) -> None:
        for kind, expected in (
            ("journal-article", "article"),
            ("CONFERENCE_PAPER", "article"),
            ("dissertation", "dissertation"),
            ("dissertation-thesis", "dissertation"),
            ("data-set", "dataset"),
            ("edited-book", "book"),
            ("working-paper", "preprint"),
            ("encyclopedia-entry", "reference-entry"),
            ("technical-standard", "standard"),
            ("spin-off-company", "other"),
            (None, "other"),
        ):
            self.assertEqual(work_of(version(1, type=kind)).type, expected)

    def test_titles_and_subtitles(self) -> None:
        for title, subtitle, expected in (
            ("On Pottery", "A View", "On Pottery: A View"),
            ("On Pottery:", "A View", "On Pottery: A View"),
            ("Why Pottery?", "A View", "Why Pottery? A View"),
            ("On Pottery: a view", "A View", "On Pottery: a view"),
            ("", "A View", "A View"),
        ):
            whole = {"title": {"value": title}, "subtitle": {"value": subtitle}}
            self.assertEqual(work_of(version(1) | {"title": whole}).title, expected)

    def test_dates_that_cannot_be_are_left_out(self) -> None:
        for parts, expected in (
            (("2020", "06", "01"), (date(2020, 6, 1), 2020)),
            (("2020", "02", "30"), (None, 2020)),
            (("2020", "00", "00"), (None, 2020)),
            (("2020", None, None), (None, 2020)),
            (("0000", "00", "00"), (None, None)),
            (("9999", "01", "01"), (None, None)),
            ((2020, 6, 1), (date(2020, 6, 1), 2020)),
        ):
            when = dict(zip(("year", "month", "day"), ({"value": part} for part in parts), strict=True))
            work = work_of(version(1, publication_date=when))
            self.assertEqual((work.publication_date, work.publication_year), expected)

    def contributors(self, *people: tuple[str, str, str | None]) -> WorkRecord:
        listed = [
            {
                "credit-name": {"value": name} if name else None,
                "contributor-orcid": {"path": number} if number else None,
                "contributor-attributes": {"contributor-role": role},
            }
            for name, number, role in people
        ]
        [work] = read(version(1, contributors={"contributor": listed}) | {"journal-title": None})
        return work

    def test_the_owner_is_found_among_the_contributors(self) -> None:
        for people, place, partial in (
            ([("A. Author", "", None), ("JS Carberry", CARBERRY, "author")], 1, False),
            ([("Carberry, J.", "", "AUTHOR"), ("A. Author", "", None)], 0, False),
            ([("Josiah Carberry", "", None)], 0, True),
            ([("A. Author", "", None), ("B. Author", "", None)], 2, True),
            ([("A. Author", "", None), ("Josiah Carberry", OTHER, None)], 2, True),
        ):
            with self.subTest(people):
                work = self.contributors(*people)
                owned = [place for place, line in enumerate(work.authorships) if line.orcid == CARBERRY]
                self.assertEqual((owned, work.partial_authors), ([place], partial))
                self.assertEqual(work.authorships[place].name, "Josiah Carberry")

    def test_of_two_namesakes_nobody_is_taken_for_the_owner(self) -> None:
        work = self.contributors(("J. Carberry", "", None), ("Jane Carberry", "", None))
        self.assertEqual([line.orcid for line in work.authorships], ["", ""])

    def test_contributors_are_authors_and_stand_once(self) -> None:
        credit = "http://credit.niso.org/contributor-roles/"
        work = self.contributors(
            ("J. Carberry", CARBERRY, credit + "methodology/"),
            ("J. Carberry", CARBERRY, credit + "writing-original-draft/"),
            ("Ed Itor", "", "editor"),
            ("", OTHER, "author"),
            ("A. Author; B. Author", "", "author"),
        )
        self.assertEqual(
            [line.raw_name for line in work.authorships], ["J. Carberry", "A. Author", "B. Author"]
        )

    def test_a_group_without_a_work_is_a_reject(self) -> None:
        xml = f'<works xmlns="http://www.orcid.org/ns/activities" path="/{CARBERRY}/works"><group><external-ids/></group></works>'
        self.assertEqual(read(xml), [Reject("a group that holds no work")])

    def test_what_cannot_be_placed_is_a_reject(self) -> None:
        nameless = version(1) | {"title": None}
        for entry, reason in (
            (version("x"), "a work without a put-code"),  # type: ignore[arg-type]
            (nameless, "neither title nor identifier"),
        ):
            self.assertEqual(read(record([group(entry)]))[1].reason, reason)
