from typing import Any

from django.test import TestCase, TransactionTestCase

from tests.factories import make_author, make_institution, make_work
from works.models import Authorship, AuthorshipInstitution, Institution, Mark, Work
from works.services import affiliations
from works.services.affiliations import current_matcher, mark_unmatched, match_affiliations
from works.services.marks import drain, mark
from works.services.verification import checks
from works.tasks import rebuild_works

LUND = "Department of Physics, Lund University, Lund, Sweden"


def make_ror(name: str = "Lund University", ror: str = "012a77v79", **fields: Any) -> Institution:
    return make_institution(name, ror, **{"country_code": "SE", "city": "Lund"} | fields)


def make_line(*strings: Any, author: Any = None, institution: Institution | None = None) -> Authorship:
    """Return the only authorship of a new work."""
    work = make_work(authors=[author or make_author()], institution=institution)
    line = work.authorships.get()
    line.raw_affiliation_strings = list(strings)
    line.save(update_fields=["raw_affiliation_strings"])
    return line


def links(*lines: Authorship) -> set[tuple[int, str, bool]]:
    rows = AuthorshipInstitution.objects.filter(authorship__in=lines)
    return set(rows.values_list("authorship_id", "institution__display_name", "matched"))


def marks() -> set[tuple[str, int]]:
    return set(Mark.objects.values_list("what", "object_id"))


class MatchTests(TestCase):
    def test_a_string_leads_to_its_institution_and_marks_what_follows(self) -> None:
        make_ror()
        line = make_line(LUND, "Nowhere Street 5")
        Mark.objects.all().delete()
        match_affiliations([line.work_id])
        self.assertEqual(links(line), {(line.pk, "Lund University", True)})
        expected = {("resolve", line.work_id), ("catalogue", line.work_id), ("counts", line.author_id)}
        self.assertEqual(marks(), expected)

    def test_twice_changes_nothing_and_marks_nothing(self) -> None:
        make_ror()
        line = make_line(LUND, LUND)
        match_affiliations([line.work_id])
        before = list(AuthorshipInstitution.objects.values())
        Mark.objects.all().delete()
        match_affiliations([line.work_id])
        self.assertEqual(list(AuthorshipInstitution.objects.values()), before)
        self.assertEqual(marks(), set())

    def test_what_a_source_states_is_not_looked_up(self) -> None:
        lund = make_ror()
        stated = make_ror("Uppsala University", "048a87296", city="Uppsala")
        line = make_line(LUND, institution=stated)
        AuthorshipInstitution.objects.create(authorship=line, institution=lund, matched=True)
        match_affiliations([line.work_id])
        self.assertEqual(links(line), {(line.pk, "Uppsala University", False)})

    def test_a_match_that_no_longer_follows_goes_and_its_institution_is_recounted(self) -> None:
        lund = make_ror(works_count=1, authors_count=1)
        line = make_line("Retired")
        AuthorshipInstitution.objects.create(authorship=line, institution=lund, matched=True)
        match_affiliations([line.work_id])
        self.assertEqual(links(line), set())
        lund.refresh_from_db()
        self.assertEqual((lund.works_count, lund.authors_count), (0, 0))
        self.assertIn(("counts", line.author_id), marks())

    def test_other_works_are_left_alone(self) -> None:
        make_ror()
        line, other = make_line(LUND), make_line(LUND)
        match_affiliations([line.work_id])
        self.assertEqual(links(line, other), {(line.pk, "Lund University", True)})

    def test_strings_that_are_none_are_passed_over(self) -> None:
        make_ror()
        lines = [make_line(None, 5, {"a": 1}, ["Lund University"], "", LUND), make_line()]
        Authorship.objects.filter(pk=lines[1].pk).update(raw_affiliation_strings={"Lund University": 1})
        match_affiliations([line.work_id for line in lines])
        self.assertEqual(links(*lines), {(lines[0].pk, "Lund University", True)})

    def test_nothing_to_do(self) -> None:
        match_affiliations([])
        match_affiliations([make_line(LUND).work_id, 10**9])
        self.assertEqual(AuthorshipInstitution.objects.count(), 0)

    def test_queries_do_not_grow_with_works(self) -> None:
        make_ror()
        one = [make_line(LUND).work_id]
        several = [make_line(LUND).work_id for _ in range(5)]
        current_matcher()
        with self.assertNumQueries(10):
            match_affiliations(one)
        with self.assertNumQueries(10):
            match_affiliations(several)


class InstitutionTests(TestCase):
    def found(self, text: str) -> list[int]:
        return [match.key for match in current_matcher().find(text)]

    def test_names_cities_and_acronyms_are_used(self) -> None:
        lund = make_ror(name_variants=["Lunds universitet"], acronyms=["LTHX"])
        for text in ("Lunds Universitet, Sverige", "LTHX, Lund, Sweden"):
            self.assertEqual(self.found(text), [lund.pk])
        self.assertEqual(self.found("LTHX, Malmö, Sweden"), [])

    def test_institutions_without_ror_are_not_answers(self) -> None:
        make_institution("Lund University", country_code="SE")
        self.assertEqual(self.found(LUND), [])

    def test_a_withdrawn_record_leads_to_who_took_it_over(self) -> None:
        lund = make_ror()
        middle = make_ror("Middle Academy", "00aaaaa12", status="withdrawn", successor=lund)
        make_ror("Old Academy", "00aaaaa23", status="withdrawn", successor=middle)
        make_ror("Lost Academy", "00aaaaa34", status="withdrawn")
        self.assertEqual(self.found("Old Academy, Lund, Sweden"), [lund.pk])
        self.assertEqual(self.found("Lost Academy, Lund, Sweden"), [])

    def test_records_that_withdrew_for_each_other_lead_nowhere(self) -> None:
        one = make_ror("One Academy", "00aaaaa12", status="withdrawn")
        other = make_ror("Other Academy", "00aaaaa23", status="withdrawn", successor=one)
        Institution.objects.filter(pk=one.pk).update(successor=other)
        self.assertEqual(self.found("One Academy, Lund, Sweden"), [])

    def test_an_inactive_one_still_answers(self) -> None:
        lund = make_ror(status="inactive")
        self.assertEqual(self.found(LUND), [lund.pk])

    def test_changes_are_seen_and_nothing_is_read_anew_without_one(self) -> None:
        lund = make_ror()
        first = current_matcher()
        self.assertIs(current_matcher(), first)
        lund.name_variants = ["Academia Gothorum"]
        lund.save()
        self.assertEqual(self.found("Academia Gothorum, Lund, Sweden"), [lund.pk])
        uppsala = make_ror("Uppsala University", "048a87296", city="Uppsala")
        self.assertEqual(self.found("Uppsala University, Sweden"), [uppsala.pk])
        lund.delete()
        self.assertEqual(self.found(LUND), [])


class MarkTests(TestCase):
    def marked(self) -> list[int]:
        rows = Mark.objects.filter(what=Mark.What.AFFILIATIONS).order_by("object_id")
        return list(rows.values_list("object_id", flat=True))

    def test_works_with_strings_that_no_source_places_are_marked_once(self) -> None:
        lund = make_ror()
        unplaced = make_line("Nowhere")
        matched = make_line(LUND)
        make_line(LUND, institution=lund)
        make_line()
        mark(Mark.What.AFFILIATIONS, [unplaced.work_id], "imported")
        match_affiliations([matched.work_id])
        with self.assertNumQueries(1):
            mark_unmatched("new institutions")
        self.assertEqual(self.marked(), [unplaced.work_id, matched.work_id])

    def test_without_institutions_nothing_is_marked(self) -> None:
        make_line(LUND)
        mark_unmatched("new institutions")
        self.assertEqual(self.marked(), [])


class ChainTests(TransactionTestCase):
    def test_what_was_imported_before_the_institutions_is_found_after(self) -> None:
        line = make_line(LUND)
        rebuild_works()
        self.assertEqual(links(line), set())
        lund = make_ror()
        mark_unmatched("new institutions")
        rebuild_works()
        self.assertEqual(links(line), {(line.pk, "Lund University", True)})
        lund.refresh_from_db()
        self.assertEqual(lund.works_count, 1)
        self.assertEqual([check for check in checks() if check.wrong and check.name.startswith("inst")], [])

    def test_a_drain_that_fails_leaves_its_marks(self) -> None:
        work = Work.objects.get(pk=make_line(LUND).work_id)
        make_ror()
        mark(Mark.What.AFFILIATIONS, [work.pk], "imported")

        def broken(work_ids: list[int]) -> None:
            match_affiliations(work_ids)
            raise ValueError("after all was written")

        with self.assertLogs("works.services.marks", "ERROR"):
            drain(Mark.What.AFFILIATIONS, broken)
        self.assertEqual(AuthorshipInstitution.objects.count(), 0)
        self.assertEqual(Mark.objects.get(what=Mark.What.AFFILIATIONS).attempts, 1)

    def tearDown(self) -> None:
        affiliations._loaded = None
        super().tearDown()
