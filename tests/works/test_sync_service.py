"""From a wish to records: what is asked of whom, what is written, and that failures write nothing."""

import json
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from tests.factories import make_author, make_work
from tests.works.sync_server import (
    CROSSREF,
    DOI,
    FROM_CROSSREF,
    FROM_OPENALEX,
    OPENALEX,
    Reply,
    SyncTestCase,
    recorded,
)
from works.models import (
    AuthorIdentifier,
    ImportReject,
    ImportRun,
    SourceRecord,
    SyncRequest,
    SyncStep,
    Work,
    WorkIdentifier,
)
from works.sync.addresses import MAX_PAGES
from works.sync.errors import Refused
from works.sync.plan import plan_author, plan_work
from works.sync.service import ask
from works.sync.words import lines_of, summary_of

PRIEM = recorded("openalex/single/A5023888391.json")
ARXIV = recorded("arxiv/atom/id_1605.08386_s0_m100_199195aa31ad.xml")
WORK_OF_PRIEM = json.loads(recorded("openalex/single/W2741809807.json").body)


def page_of(*works: object, cursor: str | None = None) -> Reply:
    meta = {"count": len(works), "per_page": 100, "next_cursor": cursor}
    return Reply(json.dumps({"meta": meta, "results": works}).encode())


class WorkTests(SyncTestCase):
    def test_a_doi_brings_the_work_from_both_who_know_it(self) -> None:
        self.sources.give(OPENALEX, FROM_OPENALEX)
        self.sources.give(CROSSREF, FROM_CROSSREF)
        request = self.sync("work", f"https://doi.org/{DOI.upper()}")
        self.assertEqual(request.state, SyncRequest.State.DONE)
        work = Work.objects.get()
        self.assertEqual(
            work.title, "High-throughput screening of human genetic variants by pooled prime editing"
        )
        records = SourceRecord.objects.order_by("provider").values_list("provider", "record_id", "work_id")
        self.assertEqual(list(records), [("crossref", DOI, work.pk), ("openalex", "W4408732759", work.pk)])
        self.assertEqual(self.sources.counts(), {"openalex": 1, "crossref": 1})
        run = ImportRun.objects.get(provider="crossref")
        self.assertEqual(
            run.paths, [self.sources.address("crossref") + "/works/10.1016%2Fj.xgen.2025.100814"]
        )

    def test_what_one_source_names_another_is_asked_for(self) -> None:
        self.sources.give("/openalex/works/W4408732759", FROM_OPENALEX)
        self.sources.give(CROSSREF, FROM_CROSSREF)
        request = self.sync("work", "W4408732759")
        self.assertEqual(self.states(request), [("openalex", "done"), ("crossref", "done")])
        self.assertEqual(Work.objects.count(), 1)

    def test_a_known_work_is_asked_for_by_each_of_its_identifiers(self) -> None:
        work = make_work(arxiv="1605.08386")
        WorkIdentifier.objects.create(work=work, scheme="doi", value=DOI)
        WorkIdentifier.objects.create(work=work, scheme="openalex", value="W4408732759")
        addresses = [(question.provider, question.address) for question in plan_work(work).questions]
        self.assertEqual(
            addresses,
            [
                ("openalex", "/works/W4408732759"),
                ("crossref", "/works/10.1016%2Fj.xgen.2025.100814"),
                ("arxiv", "?id_list=1605.08386&max_results=1"),
            ],
        )

    def test_an_arxiv_id_in_any_of_its_clothes_asks_arxiv(self) -> None:
        self.sources.give("/arxiv", ARXIV)
        for text in (
            "1605.08386",
            "arXiv:1605.08386v2",
            "10.48550/arXiv.1605.08386",
            "https://arxiv.org/abs/1605.08386",
        ):
            with self.subTest(text=text):
                for model in (SyncRequest, SourceRecord, Work):
                    model.objects.all().delete()
                self.sync("work", text)
                self.assertEqual(self.sources.paths("arxiv")[-1], "/arxiv?id_list=1605.08386&max_results=1")
                self.assertEqual(WorkIdentifier.objects.get(scheme="arxiv").value, "1605.08386")
        self.assertEqual(self.sources.paths("crossref"), [])

    def test_a_second_time_changes_nothing(self) -> None:
        self.sources.give(OPENALEX, FROM_OPENALEX)
        self.sources.give("/openalex/works/W4408732759", FROM_OPENALEX)
        self.sources.give(CROSSREF, FROM_CROSSREF)
        self.sync("work", DOI)
        before = list(SourceRecord.objects.order_by("pk").values_list("pk", "digest", "imported_at"))
        request = self.sync("work", DOI)
        self.assertEqual(
            summary_of(request, lines_of(request)), "Nothing new: the record is as the sources have it."
        )
        self.assertEqual(
            list(SourceRecord.objects.order_by("pk").values_list("pk", "digest", "imported_at")), before
        )

    def test_a_source_that_says_nothing_is_new_is_believed(self) -> None:
        self.sources.give(CROSSREF, Reply(FROM_CROSSREF.body, headers={"ETag": '"v1"'}))
        self.sync("work", DOI)
        request = self.sync("work", DOI)
        self.assertIn(("crossref", "unchanged"), self.states(request))
        self.assertEqual(self.sources.headers()["if-none-match"], '"v1"')
        third = self.sync("work", DOI)
        self.assertIn(
            ("crossref", "unchanged"), self.states(third)
        )  # the validator outlives an unchanged answer
        self.assertEqual(ImportRun.objects.count(), 1)

    def test_asked_afresh_the_answer_is_read_again(self) -> None:
        self.sources.give(CROSSREF, Reply(FROM_CROSSREF.body, headers={"ETag": '"v1"'}))
        self.sync("work", DOI)
        self.sync("work", DOI, fresh=True)
        self.assertNotIn("if-none-match", self.sources.headers())
        self.assertEqual(ImportRun.objects.count(), 2)

    def test_what_was_deleted_here_is_asked_for_whole(self) -> None:
        self.sources.give(CROSSREF, Reply(FROM_CROSSREF.body, headers={"ETag": '"v1"'}))
        self.sync("work", DOI)
        SourceRecord.objects.all().delete()
        Work.objects.all().delete()
        request = self.sync("work", DOI)
        self.assertIn(("crossref", "done"), self.states(request))
        self.assertEqual(Work.objects.count(), 1)

    def test_an_id_that_was_merged_leads_to_its_successor_and_says_so(self) -> None:
        self.sources.give(
            "/openalex/works/W111111", Reply(status=301, headers={"Location": "/openalex/works/W4408732759"})
        )
        self.sources.give("/openalex/works/W4408732759", FROM_OPENALEX)
        self.sync("work", "W111111")
        merged = SourceRecord.objects.get(record_id="W111111")
        self.assertEqual(merged.payload["merged_into"], "W4408732759")
        self.assertEqual(Work.objects.count(), 1)


class PersonTests(SyncTestCase):
    def give_priem(self, *pages: Reply) -> None:
        self.sources.give("/openalex/authors/A5023888391", PRIEM)
        self.sources.give("/openalex/works", *pages)

    def test_a_person_brings_their_works_page_by_page(self) -> None:
        other = {**WORK_OF_PRIEM, "id": "https://openalex.org/W99", "doi": None, "ids": {}, "locations": []}
        other |= {"title": "Another work altogether", "display_name": "Another work altogether"}
        self.give_priem(page_of(WORK_OF_PRIEM, cursor="next one"), page_of(other))
        request = self.sync("author", "A5023888391")
        self.assertEqual(request.state, SyncRequest.State.DONE)
        self.assertEqual(
            self.sources.paths("openalex/works"),
            [
                "/openalex/works?filter=author.id%3AA5023888391&per_page=100&sort=publication_date%3Adesc"
                f"&cursor={cursor}&mailto=host%40example.org"
                for cursor in ("%2A", "next+one")
            ],
        )
        self.assertEqual(Work.objects.count(), 2)
        self.assertTrue(SourceRecord.objects.filter(provider="openalex", record_id="A5023888391").exists())

    def test_pages_are_rows_of_work_and_come_to_an_end(self) -> None:
        self.give_priem(page_of(WORK_OF_PRIEM, cursor="again"))
        request = self.sync("author", "A5023888391")
        self.assertEqual(len(self.sources.paths("openalex/works")), MAX_PAGES)
        self.assertEqual(request.steps.count(), MAX_PAGES + 1)

    def test_an_empty_page_is_the_last(self) -> None:
        self.give_priem(page_of(cursor="again"))
        self.sync("author", "A5023888391")
        self.assertEqual(len(self.sources.paths("openalex/works")), 1)

    def test_a_person_with_an_orcid_is_asked_for_there_too(self) -> None:
        author = make_author()
        AuthorIdentifier.objects.create(author=author, scheme="orcid", value="0000-0001-6187-6610")
        addresses = [question.address for question in plan_author(author).questions]
        self.assertEqual(addresses[:2], ["/0000-0001-6187-6610/record", "/authors/orcid:0000-0001-6187-6610"])
        self.assertIn("filter=author.orcid%3A0000-0001-6187-6610", addresses[2])

    def test_a_person_without_any_id_has_their_works_asked_for_together(self) -> None:
        author = make_author("Liu Ke")
        make_work(authors=[author], arxiv="1605.08386", year=2019)
        make_work(authors=[author], doi="10.1145/1.2", year=2022)
        addresses = [(question.provider, question.address) for question in plan_author(author).questions]
        self.assertEqual(
            addresses,
            [
                ("openalex", "/works?filter=doi%3A10.1145%2F1.2%7C10.48550%2Farxiv.1605.08386&per_page=100"),
                ("arxiv", "?id_list=1605.08386&max_results=1"),
            ],
        )

    def test_a_question_about_many_works_stays_an_address_that_servers_take(self) -> None:
        author = make_author("Long Doi")
        for number in range(30):
            make_work(authors=[author], doi=f"10.1234/{'long' * 60}{number}")
        (question,) = plan_author(author).questions
        self.assertLess(len(question.address), 5000)
        self.assertGreater(question.address.count("%7C"), 10)

    def test_a_person_whom_no_source_can_know_is_told_so(self) -> None:
        with self.assertRaisesMessage(Refused, "no identifier that one of them knows"):
            ask(plan_author(make_author()))

    def test_an_orcid_record_is_loaded(self) -> None:
        self.sources.give(
            "/orcid/0000-0001-8254-7103/record", recorded("orcid/record/0000-0001-8254-7103.json")
        )
        request = self.sync("orcid", "https://orcid.org/0000-0001-8254-7103")
        self.assertEqual(self.states(request), [("orcid", "done")])
        self.assertEqual(SourceRecord.objects.get().record_id, "0000-0001-8254-7103")
        self.assertEqual(self.sources.headers()["accept"], "application/json")

    def test_an_organisation_is_loaded_from_both_who_describe_it(self) -> None:
        self.sources.give("/ror/organizations/00jmfr291", recorded("ror/00jmfr291.json"))
        self.sources.give("/openalex/institutions/ror:00jmfr291", recorded("openalex/single/I27837315.json"))
        request = self.sync("ror", "https://ror.org/00jmfr291")
        self.assertEqual(self.states(request), [("ror", "done"), ("openalex", "done")])
        self.assertEqual(
            set(SourceRecord.objects.values_list("record_id", flat=True)), {"00jmfr291", "I27837315"}
        )


class FailureTests(SyncTestCase):
    """Whatever is wrong with an answer is said in a sentence, and nothing of it is written."""

    def after(self, *replies: Reply) -> SyncRequest:
        self.sources.give(OPENALEX, *replies)
        request = self.sync("work", DOI)
        self.assert_nothing_written()
        return request

    def test_a_work_that_nobody_knows_is_not_found(self) -> None:
        request = self.sync("work", DOI)
        self.assertEqual(request.state, SyncRequest.State.NOT_FOUND)
        self.assertEqual(summary_of(request, lines_of(request)), "None of the sources knows this record.")
        self.assert_nothing_written()

    def test_arxiv_says_not_found_in_its_own_ways(self) -> None:
        for name in ("id_0808.05394_s0_m100_7b0c7d0a7cdd", "id_abc_s0_m100_b79c8dcf6bc3"):
            with self.subTest(name=name):
                SyncRequest.objects.all().delete()
                self.sources.give("/arxiv", recorded(f"arxiv/atom/{name}.xml"))
                self.assertEqual(self.sync("work", "0808.0539").state, SyncRequest.State.NOT_FOUND)
                self.assert_nothing_written()

    def test_answers_that_are_none(self) -> None:
        html = b"<!DOCTYPE html><html><body>Down for maintenance</body></html>"
        for name, reply, words in [
            ("a web page", Reply(html, type="text/html"), "a web page instead of data"),
            ("a web page that calls itself JSON", Reply(html), "a web page instead of data"),
            ("a list", Reply(b"[1, 2]"), "describes no record"),
            ("a number", Reply(b"42"), "describes no record"),
            ("an error as JSON", Reply(b'{"error": "Not quite"}'), "no usable record"),
            ("another work", recorded("openalex/single/W2741809807.json"), "about another record"),
        ]:
            with self.subTest(name=name):
                SyncRequest.objects.all().delete()
                request = self.after(reply)
                self.assertEqual(request.state, SyncRequest.State.FAILED)
                self.assertRegex(self.errors(request)[0], rf"^OpenAlex \(127\.0\.0\.1\) .*{words}.*\.$")

    def test_answers_that_may_be_whole_another_time_stay_work_to_do(self) -> None:
        for name, reply, words in [
            ("half a document", Reply(FROM_OPENALEX.body[:5000]), "broken JSON"),
            ("nothing", Reply(b""), "empty answer"),
            ("not UTF-8", Reply(b'{"id": "\xff\xfe"}'), "broken JSON"),
            ("brackets without end", Reply(b"[" * 100_000), "broken JSON"),
            ("silence", Reply(hang=True), "in time"),
            ("out of order", Reply(status=500), "answer 500"),
            ("cut off", Reply(b"{", length=100), "broke off"),
        ]:
            with self.subTest(name=name):
                SyncRequest.objects.all().delete()
                request = self.after(reply)
                step = request.steps.get(provider="openalex")
                self.assertEqual((request.state, step.state, step.attempts), ("waiting", "waiting", 1))
                self.assertIn(words, step.error)
                self.assertGreater(step.run_at, timezone.now() + timedelta(seconds=30))

    def test_broken_xml_is_refused_whole(self) -> None:
        for body in (
            ARXIV.body[:-200],
            b"<feed>&bomb;</feed>",
            b"<rss/>",
            b"<?xml version='1.0'?><html><p/></html>",
        ):
            with self.subTest(body=body[-30:]):
                SyncRequest.objects.all().delete()
                self.sources.give("/arxiv", Reply(body, type="application/atom+xml"))
                request = self.sync("work", "1605.08386")
                self.assertRegex(
                    request.steps.get(provider="arxiv").error,
                    "^arXiv .* sent (broken XML|XML that is no list of works)",
                )
                self.assert_nothing_written()

    def test_one_source_away_does_not_hold_up_the_other(self) -> None:
        self.sources.give(OPENALEX, Reply(status=503))
        self.sources.give(CROSSREF, FROM_CROSSREF)
        request = self.sync("work", DOI)
        self.assertEqual(self.states(request), [("openalex", "waiting"), ("crossref", "done")])
        self.assertEqual(Work.objects.count(), 1)

    def refuse_in_database(self, table: str) -> None:
        """A stand-in for whatever the database may refuse one day."""
        with connection.cursor() as cursor:
            cursor.execute(f"alter table {table} add constraint refused check (provider <> 'openalex')")

    def test_a_record_that_cannot_be_stored_is_told(self) -> None:
        self.sources.give(OPENALEX, Reply(FROM_OPENALEX.body, headers={"ETag": '"v1"'}))
        self.sources.give(CROSSREF, FROM_CROSSREF)
        self.refuse_in_database("works_sourcerecord")
        request = self.sync("work", DOI)
        self.assertEqual(self.states(request), [("openalex", "failed"), ("crossref", "done")])
        self.assertEqual(
            self.errors(request), ["What OpenAlex sent cannot be stored; the list of rejects says why."]
        )
        self.assertEqual(ImportReject.objects.count(), 1)
        self.assertFalse(SyncStep.objects.exclude(etag="").exists())

    def test_what_goes_wrong_here_is_tried_again_and_holds_up_no_other_step(self) -> None:
        self.sources.give(OPENALEX, FROM_OPENALEX)
        self.sources.give(CROSSREF, FROM_CROSSREF)
        self.refuse_in_database("works_importrun")
        with self.assertLogs("works.sync.service", "ERROR"):
            request = self.sync("work", DOI)
        self.assertEqual(self.states(request), [("openalex", "waiting"), ("crossref", "done")])
        self.assertIn("could not be stored", self.errors(request)[0])
