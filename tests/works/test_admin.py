"""What hosts see of imports, suggestions and decisions; nobody changes anything there."""

from datetime import timedelta

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from profiles.models import User
from tests.factories import make_author, make_user, make_work
from works.models import (
    AuthorshipDecision,
    ImportFile,
    ImportReject,
    ImportRun,
    NameOverride,
    Suggestion,
    SyncRequest,
    SyncStep,
)

RUNS = "/admin/works/importrun/"


def make_run(files: int = 1, rejects: int = 0, **fields: object) -> ImportRun:
    """Return a run with files, all but the first read to their end, and rejects of the first file."""
    run = ImportRun.objects.create(provider="crossref", read=100 + rejects, stored=60, updated=20, unchanged=40,
                                   rejected=rejects, **fields)  # fmt: skip
    rows = ImportFile.objects.bulk_create(
        ImportFile(
            run=run, provider="crossref", name=f"part-{n}.json.gz", path=f"/data/part-{n}.json.gz", position=7, size=2048,
            state=ImportFile.State.FINISHED if n else ImportFile.State.RUNNING, rejected=0 if n else rejects,
        )
        for n in range(files)
    )  # fmt: skip
    ImportReject.objects.bulk_create(
        ImportReject(
            run=run, file=rows[0], position=n + 1, reason="no title" if n % 3 else "no identifier",
            snippet=f'{{"n": {n}, "text": "<script>"}}',
        )
        for n in range(rejects)
    )  # fmt: skip
    return run


class HostTestCase(TestCase):
    host: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.host = make_user("Hosting Host", is_staff=True, is_superuser=True)

    def setUp(self) -> None:
        self.client.force_login(self.host)

    def queries_of(self, path: str) -> int:
        self.client.get(path)  # content types and the like are remembered
        with CaptureQueriesContext(connection) as caught:
            self.assertEqual(self.client.get(path).status_code, 200)
        return len(caught)


class ImportRunTests(HostTestCase):
    def test_the_list_says_how_far_a_run_is_and_how_fast(self) -> None:
        run = make_run(files=3)
        began = timezone.now() - timedelta(seconds=50)
        ImportRun.objects.filter(pk=run.pk).update(
            started_at=began, finished_at=began + timedelta(seconds=40), state="finished"
        )
        row = self.client.get(RUNS).context["cl"].result_list[0]
        admin = self.client.get(RUNS).context["cl"].model_admin
        shown = {name: str(getattr(admin, name)(row)) for name in
                 ("name", "files_done", "records_read", "new", "changed", "same", "refused", "took", "speed")}  # fmt: skip
        self.assertEqual(
            shown,
            {
                "name": f"Crossref run {run.pk}", "files_done": "2/3", "records_read": "100", "new": "40", "changed": "20",
                "same": "40", "refused": "0", "took": "0:00:40", "speed": "2",
            },
        )  # fmt: skip

    def test_a_run_that_goes_on_says_so(self) -> None:
        make_run()
        self.assertContains(self.client.get(RUNS), "so far")

    def test_a_run_lists_its_files_with_state_and_error(self) -> None:
        run = make_run(files=2)
        run.files.filter(name="part-1.json.gz").update(state="damaged", error="The file ends too early.")
        page = self.client.get(f"{RUNS}{run.pk}/change/")
        for words in ("part-0.json.gz", "/data/part-1.json.gz", "read up to its damage", "The file ends too early.",
                      "2.0\xa0KB"):  # fmt: skip
            self.assertContains(page, words)
        found = self.client.get(f"{RUNS}{run.pk}/change/?q=part-1").context["page"]
        self.assertEqual([file.name for file in found], ["part-1.json.gz"])

    def test_files_come_in_pages(self) -> None:
        run = make_run(files=120)
        page = self.client.get(f"{RUNS}{run.pk}/change/?page=3").context["page"]
        self.assertEqual((page.number, page.paginator.num_pages, len(page.object_list)), (3, 3, 20))

    def test_rejects_are_counted_by_reason_searched_and_narrowed(self) -> None:
        run = make_run(rejects=120)
        path = f"{RUNS}{run.pk}/change/?list=rejects"
        page = self.client.get(path)
        self.assertEqual(
            [(row["reason"], row["count"]) for row in page.context["reasons"]],
            [("no title", 80), ("no identifier", 40)],
        )
        self.assertEqual(page.context["page"].paginator.num_pages, 3)
        self.assertNotContains(page, '<script>"}')
        self.assertContains(page, "&lt;script&gt;")
        file = run.files.get()
        for query, count in (
            ("q=identifier", 40), ('q=%22n%22%3A+119', 1), ("reason=no+title", 80), ("reason=no+title&q=%22n%22%3A+118", 1),
            (f"file={file.pk}", 120), (f"file={file.pk + 1}", 0), ("file=%C2%B2", 120), (f"file={'9' * 40}", 120),
            ("page=1e9", 120),
        ):  # fmt: skip
            found = self.client.get(f"{path}&{query}")
            self.assertEqual((query, found.status_code), (query, 200))
            self.assertEqual((query, found.context["page"].paginator.count), (query, count))

    def test_it_asks_as_often_for_one_row_as_for_thirty(self) -> None:
        one, many = make_run(1, 1), make_run(30, 30)
        for query in ("", "?list=rejects", "?list=rejects&q=no"):
            counts = {self.queries_of(f"{RUNS}{run.pk}/change/{query}") for run in (one, many)}
            self.assertEqual((query, len(counts)), (query, 1))
        few = self.queries_of(RUNS)
        for _ in range(28):
            make_run(2, 2)
        self.assertEqual(self.queries_of(RUNS), few)

    def test_nothing_can_be_changed(self) -> None:
        run = make_run()
        path = f"{RUNS}{run.pk}/change/"
        self.assertEqual(self.client.post(path, {"state": "finished"}).status_code, 403)
        self.assertEqual(self.client.post(f"{RUNS}{run.pk}/delete/", {"post": "yes"}).status_code, 403)
        self.assertEqual(self.client.get(f"{RUNS}add/").status_code, 403)
        run.refresh_from_db()
        self.assertEqual(run.state, "running")

    def test_staff_without_permission_and_members_see_nothing(self) -> None:
        run = make_run(rejects=1)
        for user in (make_user("Staff Only", is_staff=True), make_user("Just Member")):
            self.client.force_login(user)
            for path in (RUNS, f"{RUNS}{run.pk}/change/?list=rejects"):
                self.assertIn(self.client.get(path).status_code, {302, 403})


class WhoIsWhoTests(HostTestCase):
    def suggest(self, number: int) -> None:
        for n in range(number):
            a, b = (
                make_author(f"Ada Smith {n}", works_count=1, first_year=2019, last_year=2022),
                make_author("A. Smith"),
            )
            Suggestion.objects.create(
                author_a=a, author_b=b, score=-1.25 - n, reason="same name; 2 shared co-authors"
            )

    def test_suggestions_give_both_authors_and_the_reason_the_likeliest_first(self) -> None:
        self.suggest(2)
        page = self.client.get("/admin/works/suggestion/")
        first = page.context["cl"].result_list[0]
        self.assertEqual(first.author_a.display_name, "Ada Smith 0")
        for words in ("same name; 2 shared co-authors", "(1 work, 2019 to 2022)", "1.2 bits short",
                      first.author_b.get_absolute_url()):  # fmt: skip
            self.assertContains(page, words)

    def test_lists_ask_as_often_for_one_row_as_for_thirty(self) -> None:
        def add(number: int) -> None:
            self.suggest(number)
            for n in range(number):
                author = make_author("Ada Smith")
                AuthorshipDecision.objects.create(author=author, work=make_work(), is_theirs=False)
                NameOverride.objects.create(author=author, name=f"Old {n}", folded=f"old {n}", is_hidden=True)

        paths = ("suggestion", "authorshipdecision", "nameoverride", "suppression")
        add(1)
        before = {path: self.queries_of(f"/admin/works/{path}/") for path in paths}
        add(29)
        self.assertEqual({path: self.queries_of(f"/admin/works/{path}/") for path in paths}, before)

    def test_decisions_are_shown_and_not_changed(self) -> None:
        author, work = make_author("Ada Smith"), make_work("Not hers")
        decision = AuthorshipDecision.objects.create(
            author=author, work=work, is_theirs=False, reason="not mine"
        )
        path = f"/admin/works/authorshipdecision/{decision.pk}/change/"
        self.assertContains(self.client.get(path), "Not hers")
        self.assertEqual(self.client.post(path, {"is_theirs": "on"}).status_code, 403)
        decision.refresh_from_db()
        self.assertFalse(decision.is_theirs)

    def test_hidden_names_are_for_superusers_alone(self) -> None:
        NameOverride.objects.create(
            author=make_author(), name="Former Name", folded="former name", is_hidden=True
        )
        self.assertContains(self.client.get("/admin/works/nameoverride/"), "Former Name")
        self.client.force_login(make_user("Mo Derator", is_staff=True))
        self.assertEqual(self.client.get("/admin/works/nameoverride/").status_code, 403)

    def test_what_the_sources_were_asked_is_shown_and_not_changed(self) -> None:
        asked = SyncRequest.objects.create(kind="work", scheme="doi", value="10.1234/5")
        step = SyncStep.objects.create(
            request=asked, number=0, provider="crossref", address="/works/10.1234/5", run_at=timezone.now(),
            error="Crossref did not answer.",
        )  # fmt: skip
        self.assertContains(self.client.get("/admin/works/syncrequest/"), "10.1234/5")
        path = f"/admin/works/syncrequest/{asked.pk}/change/"
        self.assertContains(self.client.get(path), "Crossref did not answer.")
        self.assertEqual(self.client.post(path, {"state": "done"}).status_code, 403)
        self.assertContains(self.client.get("/admin/works/syncstep/"), "Crossref did not answer.")
        path = f"/admin/works/syncstep/{step.pk}/change/"
        self.assertContains(self.client.get(path), "/works/10.1234/5")
        self.assertEqual(self.client.post(path, {"state": "done"}).status_code, 403)
        self.assertEqual(self.client.get("/admin/works/syncstep/add/").status_code, 403)
