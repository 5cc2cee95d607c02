from django.db import transaction

from profiles.claims.findings import Finding
from profiles.claims.gathering import deciding
from profiles.models import Route, User
from tests.profiles.claims.cast import (
    NAME,
    OTHER,
    ROR,
    THIS_YEAR,
    EvidenceTestCase,
    added_by_hand,
    author_of,
    bring,
    confirm,
    forget_addresses,
    line,
    orcid_record,
    paper,
    records_in,
    there,
    university,
)
from trust.models import Evidence
from works.ingest.records import AffiliationRecord, AuthorRecord, InstitutionRef
from works.models import Author, Institution

CHILD = "02mhbdp94"


class DomainRouteTests(EvidenceTestCase):
    def setUp(self) -> None:
        super().setUp()
        forget_addresses(self.josiah)
        forget_addresses(self.eve)

    def at_brown(self, *domains: str, **fields: object) -> None:
        """Let Josiah's newest paper name Brown University, which lists these domains."""
        bring(university("Brown University", ROR, *(domains or ("brown.edu",))))
        bring(paper("10.5555/12345678", "On cracked pots", line(institutions=there()), **fields))

    def domain(self, *addresses: str, user: User | None = None) -> Finding:
        user = user or self.josiah
        for address in addresses:
            confirm(user, address)
        return self.find(Route.DOMAIN, user)

    def assert_refused(self, finding: Finding, check: str, sentence: str, outcome: str = "not_met") -> None:
        self.assertFalse(finding.decides)
        self.assertEqual(self.checks(finding)[check], outcome)
        self.assertIn(sentence, self.check(finding, check).sentence)

    # --- What decides ---

    def test_an_address_at_the_institutions_own_domain_decides(self) -> None:
        self.at_brown()
        finding = self.domain("josiah@brown.edu")
        self.assertEqual(
            self.checks(finding),
            {
                "domain": "met",
                "affiliation": "met",
                "account_name": "met",
                "unique_name": "met",
                "enough": "met",
            },
        )
        self.assertTrue(finding.decides)
        [row] = finding.lines
        self.assertEqual(
            (row.kind, row.source, row.meets_route, row.detail, row.asserted_by_institution_id),
            (Evidence.Kind.DOMAIN_CONFIRMED, "Brown University", True, {"email": "josiah@brown.edu"}, None),
        )

    def test_a_subdomain_is_fine_and_case_is_nothing(self) -> None:
        self.at_brown()
        self.assertTrue(self.domain("Josiah@CS.Brown.EDU").decides)

    def test_one_good_address_among_others_decides(self) -> None:
        self.at_brown()
        self.assertTrue(self.domain("josiah@gmail.com", "josiah@brown.edu", "j@alumni.brown.edu").decides)

    def test_an_index_that_describes_the_person_places_them_too(self) -> None:
        bring(university("Brown University", ROR, "brown.edu"))
        bring(
            paper(
                "W1",
                "On cracked pots",
                line(openalex="A5000000001"),
                provider="openalex",
                identifiers=(("openalex", "W1"),),
            )
        )
        at = AffiliationRecord(InstitutionRef("Brown University", ror=ROR), last_year=THIS_YEAR)
        bring(
            AuthorRecord(
                provider="openalex", record_id="A5000000001", display_name=NAME, identifiers=(("openalex", "A5000000001"),),
                affiliations=(at,),
            )
        )  # fmt: skip
        self.assertTrue(self.domain("josiah@brown.edu").decides)

    def test_a_domain_in_other_letters_is_compared_as_the_network_writes_it(self) -> None:
        self.at_brown("xn--mnchen-3ya.de")
        self.assertTrue(self.domain("josiah@münchen.de").decides)

    # --- What does not ---

    def test_takeover_an_unconfirmed_address(self) -> None:
        self.at_brown()
        confirm(self.josiah, "josiah@brown.edu", verified=False)
        self.assertEqual(self.checks(self.domain()), {"address": "not_met"})

    def test_takeover_a_public_suffix_that_the_registry_lists(self) -> None:
        for suffix in ("edu.cn", "gov.uk", "ac.in", "github.io"):
            with self.subTest(suffix=suffix):
                Institution.objects.all().delete()
                self.at_brown(suffix)
                forget_addresses(self.josiah)
                self.assert_refused(
                    self.domain(f"josiah@{suffix}"), "domain", "Many organisations have their addresses"
                )
                forget_addresses(self.josiah)
                self.assert_refused(
                    self.domain(f"josiah@tsinghua.{suffix}"), "domain", "is listed for no institution"
                )

    def test_takeover_a_domain_of_several_organisations(self) -> None:
        self.at_brown()
        bring(university("Brown Hospital", CHILD, "brown.edu", parents=(("ror", ROR),)))
        finding = self.domain("josiah@cs.brown.edu")
        self.assert_refused(finding, "domain", "several organisations (Brown University, Brown Hospital)")

    def test_a_subdomain_that_is_another_organisations_is_theirs(self) -> None:
        self.at_brown()
        bring(university("Brown Hospital", CHILD, "med.brown.edu", parents=(("ror", ROR),)))
        self.assertTrue(self.domain("josiah@brown.edu").decides)
        forget_addresses(self.josiah)
        finding = self.domain("josiah@med.brown.edu")
        self.assert_refused(finding, "affiliation", "No source places this person at Brown Hospital")

    def test_takeover_an_alumni_or_student_host(self) -> None:
        self.at_brown()
        for host, why in (
            ("alumni.brown.edu", "former students"), ("alum.brown.edu", "former students"), ("students.brown.edu", "students"),
            ("mail.stud.brown.edu", "students"), ("post.brown.edu", "former students"), ("guest.brown.edu", "guests"),
        ):  # fmt: skip
            with self.subTest(host=host):
                forget_addresses(self.josiah)
                self.assert_refused(self.domain(f"josiah@{host}"), "domain", why)

    def test_takeover_a_namesake(self) -> None:
        mine = line(orcid="0000-0002-1825-0097", institutions=there())
        bring(university("Brown University", ROR, "brown.edu"))
        bring(paper("10.5555/12345678", "On cracked pots", mine))
        author = author_of()
        confirm(self.josiah, "josiah@brown.edu")
        self.assertTrue(self.find(Route.DOMAIN, self.josiah, author).decides)
        for namesake in (NAME, "J. Carberry", "Josiah M. Carberry", "Jósiah Carberry"):
            with self.subTest(namesake=namesake), transaction.atomic():
                bring(
                    paper(
                        "10.5555/o",
                        "Entirely different matters",
                        line(namesake, orcid=OTHER, institutions=there()),
                    )
                )
                finding = self.find(Route.DOMAIN, self.josiah, author)
                self.assert_refused(finding, "unique_name", "Another person at Brown University")
                self.assertFalse(finding.lines[0].meets_route)
                transaction.set_rollback(True)

    def test_a_namesake_elsewhere_is_no_hindrance(self) -> None:
        bring(
            university("Brown University", ROR, "brown.edu"),
            university("Tufts University", CHILD, "tufts.edu"),
        )
        bring(
            paper(
                "10.5555/12345678", "On cracked pots", line(orcid="0000-0002-1825-0097", institutions=there())
            ),
            paper(
                "10.5555/o",
                "Entirely different matters",
                line(orcid=OTHER, institutions=there("Tufts University", CHILD)),
            ),
        )
        author = Author.objects.get(orcid="0000-0002-1825-0097")
        confirm(self.josiah, "josiah@brown.edu")
        self.assertTrue(self.find(Route.DOMAIN, self.josiah, author).decides)

    def test_takeover_somebody_who_left(self) -> None:
        self.at_brown(publication_year=THIS_YEAR - 3)
        finding = self.domain("josiah@brown.edu")
        self.assert_refused(finding, "affiliation", "more than 2 years ago", "partly")
        self.assertEqual([row.meets_route for row in finding.lines], [False])

    def test_two_years_are_still_near(self) -> None:
        self.at_brown(publication_year=THIS_YEAR - 2)
        self.assertTrue(self.domain("josiah@brown.edu").decides)

    def test_takeover_a_homograph_of_the_domain(self) -> None:
        self.at_brown()
        finding = self.domain("josiah@brоwn.edu")  # with a Cyrillic о
        self.assert_refused(finding, "domain", "is written to look like brown.edu", "against")
        confirm(
            self.josiah, "josiah@brown.edu"
        )  # who does such a thing is looked at, whatever else they have
        finding = self.domain()
        self.assert_refused(finding, "imitation", "is written to look like brown.edu", "against")
        self.assertIsNone(deciding(self.gather()))

    def test_takeover_a_public_mail_provider_that_nobody_lists(self) -> None:
        self.at_brown()
        self.assert_refused(self.domain("josiah@gmail.com"), "domain", "Anybody gets an address at gmail.com")

    def test_takeover_a_public_mail_provider_that_an_institution_lists(self) -> None:
        self.at_brown("qq.com")
        self.assert_refused(self.domain("josiah@qq.com"), "domain", "Anybody gets an address at qq.com")

    def test_takeover_an_affiliation_that_stands_in_the_attackers_orcid_record_alone(self) -> None:
        bring(university("Brown University", ROR, "brown.edu"))
        bring(paper("10.5555/12345678", "On cracked pots", line(), line("Ann Other")))
        employment = {
            "employment-summary": {
                "organization": {
                    "name": "Brown University",
                    "address": {"city": "Providence", "country": "US"},
                    "disambiguated-organization": {
                        "disambiguated-organization-identifier": f"https://ror.org/{ROR}",
                        "disambiguation-source": "ROR",
                    },
                },
                "start-date": {"year": {"value": str(THIS_YEAR - 1)}},
                "visibility": "public",
                "source": {"source-orcid": {"path": OTHER}, "source-name": {"value": NAME}},
            }
        }
        data = orcid_record(
            OTHER, NAME, [added_by_hand("10.5555/12345678", title="On cracked pots")],
            employments={"affiliation-group": [{"summaries": [employment]}]},
        )  # fmt: skip
        bring(*records_in(data))
        victim = author_of()
        self.assertEqual(victim.affiliations.get().institution.ror, ROR)  # the page shows it, with its source
        self.eve.display_name = NAME
        self.eve.save()
        finding = self.domain("eve@brown.edu", user=self.eve)
        self.assert_refused(finding, "affiliation", "No source places this person at Brown University")
        self.assertEqual(finding.lines, ())

    def test_an_address_names_nobody(self) -> None:
        self.at_brown()
        finding = self.domain("josiah.carberry@brown.edu", user=self.eve)
        self.assert_refused(finding, "account_name", "The name of your account, Eve Adams, does not fit")

    def test_hostile_addresses_and_domains_break_nothing(self) -> None:
        self.at_brown("brown.edu", "", "..", "-", "xn--", "ä" * 100)
        for address in (
            "josiah",
            "@",
            "a@",
            "a@.",
            "a@xn--",
            "a@..edu",
            f"a@{'x' * 70}.edu",
            "a@[127.0.0.1]",
            "a@edu",
        ):
            with self.subTest(address=address):
                forget_addresses(self.josiah)
                self.assertFalse(self.domain(address).decides)
