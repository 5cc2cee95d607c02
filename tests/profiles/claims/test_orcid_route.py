from typing import Any

from bzpeer.lib.names import fold
from profiles.claims.findings import Finding
from profiles.claims.gathering import deciding
from profiles.models import Route, User
from tests.factories import make_user
from tests.orcid_server import LIEBERSOHN, real_record
from tests.profiles.claims.cast import (
    CARBERRY,
    CRACKS,
    NAME,
    OTHER,
    POTTERY,
    EvidenceTestCase,
    added_by,
    added_by_hand,
    author_of,
    bring,
    client,
    external,
    group,
    line,
    orcid_record,
    paper,
    records_in,
    sign_in,
    version,
)
from trust.models import Evidence
from works.ingest.records import AuthorRecord
from works.models import Author, Authorship, NameOverride, SourceRecord


class OrcidRouteTests(EvidenceTestCase):
    def orcid(self, user: User | None = None, author: Author | None = None) -> Finding:
        return self.find(Route.ORCID, user, author)

    # --- What decides ---

    def test_an_id_that_a_publisher_gives_decides(self) -> None:
        bring(paper(POTTERY, "On cracked pots", line(orcid=CARBERRY), line("Ann Other")))
        sign_in(self.josiah)
        finding = self.orcid()
        self.assertTrue(finding.decides)
        self.assertEqual(
            self.check(finding, "orcid_from_source").sentence, "Crossref gives your iD for this author."
        )
        self.assertEqual(
            [(row.kind, row.source, row.meets_route, row.detail) for row in finding.lines],
            [(Evidence.Kind.ORCID_OAUTH, "ORCID", True, {"orcid": CARBERRY})],
        )
        self.assertEqual(deciding(self.gather()), finding)

    def test_an_id_that_an_index_gives_the_person_of_this_line_decides(self) -> None:
        bring(
            paper(
                POTTERY, "On cracked pots", line(openalex="A5000000001"), provider="openalex", record_id="W1"
            )
        )
        bring(
            AuthorRecord(
                provider="openalex", record_id="A5000000001", display_name=NAME,
                identifiers=(("openalex", "A5000000001"), ("orcid", CARBERRY)),
            )
        )  # fmt: skip
        sign_in(self.josiah)
        self.assertTrue(self.orcid().decides)

    def test_a_work_that_an_organisation_added_decides(self) -> None:
        bring(paper(POTTERY, "On cracked pots", line(), line("Ann Other")))
        sign_in(self.josiah, orcid_record(works=[added_by("Crossref", POTTERY)]))
        finding = self.orcid()
        self.assertTrue(finding.decides)
        self.assertEqual(
            self.check(finding, "asserted_work").sentence,
            "Crossref added “On cracked pots” to your ORCID record.",
        )
        self.assertEqual(
            [(row.kind, row.source) for row in finding.lines],
            [(Evidence.Kind.ORCID_OAUTH, "ORCID"), (Evidence.Kind.WORK_ASSERTED, "Crossref")],
        )

    def test_a_real_record_of_orcid(self) -> None:
        """Crossref added two of its works and DataCite one; the person added others."""
        title = "Phylogenetic tree shape and the structure of mutualistic networks"
        bring(paper("10.1111/1365-2745.12293", title, line("Scott Chamberlain"), line("Carl J. Liebersohn")))
        carl = make_user("Carl Liebersohn")
        sign_in(carl, real_record(), LIEBERSOHN)
        finding = self.orcid(carl, author_of("Carl J. Liebersohn"))
        self.assertTrue(finding.decides)
        self.assertEqual(
            self.check(finding, "asserted_work").detail,
            {"works": [["Crossref", "doi:10.1111/1365-2745.12293"]]},
        )
        self.assertFalse(self.orcid(carl, author_of("Scott Chamberlain")).decides)

    def test_the_preprint_of_the_same_title_is_the_same_work(self) -> None:
        """The page shows arXiv's record, the organisation named the journal's DOI."""
        title = "On the psychoceramics of cracked pots"
        bring(
            paper(
                "x",
                title,
                line(),
                provider="arxiv",
                record_id="2001.00001",
                identifiers=(("arxiv", "2001.00001"),),
            )
        )
        bring(paper(POTTERY, title, line()))
        sign_in(self.josiah, orcid_record(works=[added_by("Crossref", POTTERY)]))
        self.assertTrue(self.orcid().decides)

    def test_funding_and_reviews_are_bounded(self) -> None:
        bring(paper(POTTERY, "On cracked pots", line(orcid=CARBERRY)))
        fundings = [
            {
                "funding-summary": [
                    {
                        "title": {"title": {"value": f"Grant {number}"}},
                        "source": client("Wellcome Trust"),
                        "visibility": "public",
                        "external-ids": {"external-id": []},
                        "put-code": number,
                    }
                ]
            }
            for number in range(30)
        ]
        sign_in(self.josiah, orcid_record(fundings={"group": fundings}))
        kinds = [row.kind for row in self.orcid().lines]
        self.assertEqual(kinds.count(Evidence.Kind.FUNDING_ASSERTED), 10)

    def test_a_hidden_former_name_counts_and_is_shown_nowhere(self) -> None:
        bring(paper(POTTERY, "On cracked pots", line(NAME, orcid=CARBERRY)))
        author = author_of()
        Author.objects.filter(pk=author.pk).update(display_name="Joan Rivers")
        author.names.all().delete()
        NameOverride.objects.create(author=author, name=NAME, folded=fold(NAME), is_hidden=True)
        author.refresh_from_db()
        sign_in(self.josiah, orcid_record(name="Josiah S Carberry"))
        findings = self.gather(author=author)
        self.assertTrue(findings[0].decides)
        said = repr(findings).replace("Josiah S Carberry", "")
        self.assertNotIn("Carberry", said.replace(repr(self.josiah.display_name), ""))

    # --- What does not ---

    def test_whoever_has_not_signed_in_is_sent_there_and_back(self) -> None:
        bring(paper())
        finding = self.orcid()
        self.assertEqual(self.checks(finding), {"signed_in": "not_met"})
        self.assertEqual(
            finding.start,
            f"/accounts/orcid/login/?process=connect&next=%2Fresearchers%2F{author_of().pid}%2Fclaim%2F",
        )

    def test_takeover_the_victims_work_added_to_ones_own_orcid_record_first(self) -> None:
        bring(paper(POTTERY, "On cracked pots", line(), line("Ann Other")))
        data = orcid_record(OTHER, NAME, [added_by_hand(POTTERY, title="On cracked pots")])
        bring(*records_in(data))  # and our catalogue took it over from there
        victim = author_of()
        self.assertEqual(Authorship.objects.get(author=victim).orcid, OTHER)  # so the catalogue believes it
        self.eve.display_name = NAME
        self.eve.save()
        sign_in(self.eve, data, OTHER)
        findings = self.gather(self.eve, victim)
        self.assertIsNone(deciding(findings))
        outcomes = self.checks(findings[0])
        self.assertEqual((outcomes["orcid_from_source"], outcomes["asserted_work"]), ("not_met", "not_met"))
        # Nor does it keep the rightful person out.
        sign_in(self.josiah, orcid_record(works=[added_by("Crossref", POTTERY)]))
        self.assertTrue(self.orcid(self.josiah, victim).decides)

    def test_takeover_ones_own_work_glued_to_the_victims(self) -> None:
        """A work of the attacker, which Crossref did add, grouped in their ORCID record with the victim's."""
        bring(paper(POTTERY, "On cracked pots and their makers", line(), line("Ann Other")))
        bring(paper(CRACKS, "Glue for everybody and all", line(NAME, orcid=OTHER)))
        both = group(
            version(
                1, external("doi", POTTERY), external("doi", CRACKS), title="On cracked pots and their makers"
            ),
            version(
                2, external("doi", CRACKS), source=client("Crossref"), title="Glue for everybody and all"
            ),
        )
        data = orcid_record(OTHER, NAME, [both])
        bring(*records_in(data))
        victim = Authorship.objects.get(work__records__record_id=POTTERY, raw_author_name=NAME).author
        self.eve.display_name = NAME
        self.eve.save()
        sign_in(self.eve, data, OTHER)
        together = (
            SourceRecord.objects.filter(record_id__in=[POTTERY, CRACKS]).values("work").distinct().count()
        )
        self.assertEqual(together, 1)  # the catalogue was fooled
        self.assertIsNone(deciding(self.gather(self.eve, victim)))

    def test_takeover_a_coauthor_who_takes_the_victims_name_in_orcid(self) -> None:
        bring(paper(POTTERY, "On cracked pots", line(), line("Eve Adams", orcid=OTHER)))
        self.eve.display_name = NAME
        self.eve.save()
        sign_in(self.eve, orcid_record(OTHER, NAME, [added_by("Crossref", POTTERY)]), OTHER)
        finding = self.orcid(self.eve)
        self.assertFalse(finding.decides)
        self.assertEqual(self.checks(finding)["orcid_of_coauthor"], "against")

    def test_takeover_a_coauthor_whose_name_could_be_either(self) -> None:
        bring(paper(POTTERY, "On cracked pots", line("Josiah Carberry"), line("John Carberry")))
        self.eve.display_name = "J. Carberry"
        self.eve.save()
        sign_in(self.eve, orcid_record(OTHER, "J. Carberry", [added_by("Crossref", POTTERY)]), OTHER)
        finding = self.orcid(self.eve)
        self.assertEqual(self.checks(finding)["asserted_work"], "not_met")
        self.assertFalse(finding.decides)

    def test_takeover_a_coauthor_whose_line_could_be_taken_for_the_victims(self) -> None:
        lines = line("J. Carberry", orcid=OTHER), line("Josiah Carberry", openalex="A5000000002")
        bring(paper(POTTERY, "On cracked pots", *lines, provider="openalex", record_id="W1"))
        self.eve.display_name = NAME
        self.eve.save()
        sign_in(self.eve, orcid_record(OTHER, NAME), OTHER)
        finding = self.orcid(self.eve)
        self.assertEqual(self.checks(finding)["orcid_from_source"], "not_met")
        self.assertFalse(finding.decides)

    def test_takeover_an_index_that_knows_the_attacker_as_somebody_else(self) -> None:
        """The attacker's iD came to the victim by an ORCID import, and what the index says of that iD with it."""
        bring(paper(POTTERY, "On cracked pots", line(), line("Ann Other")))
        data = orcid_record(OTHER, NAME, [added_by_hand(POTTERY, title="On cracked pots")])
        bring(*records_in(data))
        bring(
            AuthorRecord(
                provider="openalex", record_id="A5000000009", display_name="Eve Adams",
                identifiers=(("openalex", "A5000000009"), ("orcid", OTHER)),
            )
        )  # fmt: skip
        victim = author_of()
        held = set(victim.identifiers.values_list("scheme", "value"))
        self.assertEqual(held, {("orcid", OTHER), ("openalex", "A5000000009")})  # the catalogue believes it
        self.eve.display_name = NAME
        self.eve.save()
        sign_in(self.eve, data, OTHER)
        finding = self.orcid(self.eve, victim)
        self.assertEqual(self.checks(finding)["orcid_from_source"], "not_met")
        self.assertFalse(finding.decides)

    def test_takeover_a_similar_name_without_a_shared_work(self) -> None:
        bring(paper(POTTERY, "On cracked pots", line()))
        sign_in(self.eve, orcid_record(OTHER, NAME, [added_by("Crossref", CRACKS)]), OTHER)
        finding = self.orcid(self.eve)
        self.assertFalse(finding.decides)
        self.assertEqual(self.checks(finding)["asserted_work"], "not_met")

    def test_a_name_that_does_not_fit_decides_nothing(self) -> None:
        bring(paper(POTTERY, "On cracked pots", line(orcid=OTHER)))
        sign_in(self.eve, orcid_record(OTHER, "Eve Adams"), OTHER)
        finding = self.orcid(self.eve)
        self.assertEqual(self.checks(finding)["orcid_name"], "not_met")
        self.assertEqual((finding.decides, finding.lines), (False, ()))

    def test_another_id_on_this_record_speaks_against(self) -> None:
        bring(
            paper(POTTERY, "On cracked pots", line(orcid=CARBERRY)),
            paper(CRACKS, "On whole pots and others", line(orcid=CARBERRY)),
        )
        sign_in(self.eve, orcid_record(OTHER, NAME, [added_by("Crossref", POTTERY)]), OTHER)
        finding = self.orcid(self.eve)
        self.assertEqual(self.checks(finding)["other_orcid"], "against")
        self.assertEqual(self.checks(finding)["asserted_work"], "not_met")
        self.assertFalse(finding.decides)

    def test_an_id_of_another_record_speaks_against_if_a_source_says_so(self) -> None:
        bring(
            paper(POTTERY, "On cracked pots", line()),
            paper(CRACKS, "Eve on snakes", line("Eve Adams", orcid=OTHER)),
        )
        sign_in(self.eve, orcid_record(OTHER, NAME), OTHER)
        finding = self.orcid(self.eve)
        self.assertEqual(self.checks(finding)["orcid_elsewhere"], "against")
        self.assertIn("Eve Adams", self.check(finding, "orcid_elsewhere").sentence)
        Author.objects.filter(display_name="Eve Adams").update(suppressed=True)
        self.assertNotIn("Eve Adams", self.check(self.orcid(self.eve), "orcid_elsewhere").sentence)

    def test_a_record_that_is_not_orcids_or_of_another_person_proves_nothing(self) -> None:
        bring(paper(POTTERY, "On cracked pots", line(orcid=CARBERRY)))
        sandbox = orcid_record()
        sandbox["orcid-identifier"]["host"] = "sandbox.orcid.org"
        account = sign_in(self.josiah, sandbox)
        deep: dict[str, object] = {}
        for _ in range(600):
            deep = {"works": deep}
        hostile: list[Any] = [
            sandbox,
            orcid_record(OTHER),
            {},
            {"error-code": 9016},
            {"person": 7},
            {"orcid-identifier": []},
            deep,
            [1],
        ]
        for data in hostile:
            account.extra_data = data
            account.save()
            finding = self.orcid()
            with self.subTest(data=str(data)[:60]):
                self.assertEqual(self.checks(finding), {"signed_in": "met", "record": "unknown"})
                self.assertFalse(finding.decides)
