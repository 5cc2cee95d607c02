from io import StringIO

from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from tests.factories import make_author
from tests.works.sync_server import PROVIDERS, Reply, SourcesTestCase, recorded
from works.models import Author, SyncRequest, Work

DOI = "10.1016/j.xgen.2025.100814"
OPENALEX = "/openalex/works/doi:10.1016/j.xgen.2025.100814"
CROSSREF = "/crossref/works/10.1016/j.xgen.2025.100814"


@override_settings(SYNC_SPACING=dict.fromkeys(PROVIDERS, 0.0))
class SyncCommandTests(SourcesTestCase, TestCase):
    def run_sync(self, *args: str) -> list[str]:
        out = StringIO()
        call_command("sync", *args, stdout=out)
        return out.getvalue().splitlines()

    def fails(self, code: int, *args: str) -> str:
        out = StringIO()
        with self.assertRaises(CommandError) as caught:
            call_command("sync", *args, stdout=out)
        self.assertEqual(caught.exception.returncode, code)
        return f"{out.getvalue()}{caught.exception}"

    def test_it_says_what_came_from_where_and_leads_to_the_page(self) -> None:
        self.sources.give(OPENALEX, recorded("openalex/single/W4408732759.json.gz"))
        self.sources.give(CROSSREF, recorded("crossref/10.1016-j.xgen.2025.100814.json.gz"))
        lines = self.run_sync("work", DOI)
        work = Work.objects.get()
        self.assertEqual(
            lines[:2],
            [
                "OpenAlex (127.0.0.1): 1 record, 1 new or changed",
                "Crossref (127.0.0.1): 1 record, 1 new or changed",
            ],
        )
        self.assertTrue(lines[-2].endswith(work.get_absolute_url()))
        self.assertEqual(lines[-1], "2 records new or changed.")
        # Who is who has been found out, without a worker.
        self.assertFalse(work.authorships.filter(author=None).exists())
        self.assertGreater(Author.objects.filter(works_count=1).count(), 5)

    def test_a_second_time_it_says_that_nothing_is_new(self) -> None:
        self.sources.give(
            CROSSREF,
            Reply(recorded("crossref/10.1016-j.xgen.2025.100814.json.gz").body, headers={"ETag": '"1"'}),
        )
        self.run_sync("work", DOI)
        lines = self.run_sync("work", DOI)
        self.assertIn("Crossref (127.0.0.1): nothing new", lines)
        self.assertEqual(lines[-1], "Nothing new: the record is as the sources have it.")

    def test_unknown_to_all_is_1(self) -> None:
        self.assertIn("None of the sources knows this record.", self.fails(1, "work", DOI))

    def test_a_record_without_identifiers_is_1(self) -> None:
        self.assertIn("No source can be asked", self.fails(1, "author", make_author().pid))

    def test_no_identifier_is_2(self) -> None:
        for kind, text in [
            ("work", "a title"),
            ("author", DOI),
            ("orcid", "0000-0000-0000-0000"),
            ("ror", "tufts"),
        ]:
            with self.subTest(kind=kind):
                self.assertIn(f"“{text}” is not", self.fails(2, kind, text))
        self.assertEqual(self.sources.requests, [])

    def test_a_source_that_is_away_is_3_and_what_the_others_said_stays(self) -> None:
        self.sources.give(OPENALEX, Reply(status=503))
        self.sources.give(CROSSREF, recorded("crossref/10.1016-j.xgen.2025.100814.json.gz"))
        said = self.fails(3, "work", DOI)
        self.assertIn("OpenAlex (127.0.0.1) is out of order (answer 503). Asked again at ", said)
        self.assertTrue(said.endswith("OpenAlex did not answer; try later."))
        self.assertEqual(Work.objects.count(), 1)
        self.assertEqual(SyncRequest.objects.get().state, SyncRequest.State.WAITING)

    def test_a_wrong_answer_is_3_and_nothing_is_written(self) -> None:
        self.sources.give(OPENALEX, Reply(b"<html>Sign in to the guest network</html>", type="text/html"))
        self.assertIn("a web page instead of data", self.fails(3, "work", DOI))
        self.assertEqual(Work.objects.count(), 0)

    def test_run_again_it_goes_on_with_what_is_left(self) -> None:
        self.sources.give(OPENALEX, *[Reply(status=503)] * 4, recorded("openalex/single/W4408732759.json.gz"))
        self.sources.give(CROSSREF, recorded("crossref/10.1016-j.xgen.2025.100814.json.gz"))
        self.fails(3, "work", DOI)
        work = Work.objects.get()
        self.run_sync("work", DOI)
        self.assertEqual(work.records.count(), 2)

    def test_a_pid_asks_about_the_record_that_is_here(self) -> None:
        self.sources.give("/arxiv", recorded("arxiv/atom/id_1605.08386_s0_m100_199195aa31ad.xml"))
        self.run_sync("work", "1605.08386")
        lines = self.run_sync("work", Work.objects.get().pid, "--no-rebuild", "-v2")
        self.assertIn(f"  done: {self.sources.address('arxiv')}?id_list=1605.08386&max_results=1", lines)
        self.assertEqual(lines[-1], "Nothing new: the record is as the sources have it.")
