"""The records shipped with the project: the page that BZPEER started from stands among 4,500 real works."""

from django.core.management import call_command
from django.test import TestCase

from tests.works.files import DATA, DEMO
from works.ingest.load import ingest
from works.models import Author, AuthorIdentifier, Authorship, ImportRun, Work
from works.services.demo import demo_records_imported, import_demo_records

SIX = {"Liu Ke", "Udit Gupta", "Mark Hempstead", "Carole-Jean Wu", "Hsien-Hsin S. Lee", "Xuan Zhang"}


def authors_of(arxiv: str) -> dict[str, Author]:
    work = Work.objects.get(identifiers__scheme="arxiv", identifiers__value=arxiv)
    return {row.raw_author_name: row.author for row in work.authorships.select_related("author")}


class DemoRecordsTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        import_demo_records()
        call_command("rebuild", verbosity=0)

    def test_everything_shipped_is_read_and_nothing_is_rejected(self) -> None:
        self.assertTrue(demo_records_imported())
        runs = ImportRun.objects.order_by("pk").values_list("provider", "read", "rejected")
        self.assertEqual(list(runs), [("arxiv", 2, 0), ("arxiv", 3000, 0), ("openalex", 1500, 0)])

    def test_it_is_small_enough_to_ship(self) -> None:
        self.assertLess(sum(path.stat().st_size for path in DEMO.iterdir() if path.is_file()), 6_000_000)

    def test_liu_ke_is_as_on_the_page_everything_started_from(self) -> None:
        [liu_ke] = Author.objects.public().filter(display_name="Liu Ke")
        self.assertEqual(
            (liu_ke.works_count, liu_ke.topics_count, liu_ke.close_collaborators_count, liu_ke.trust.value, liu_ke.trust.level),
            (2, 2, 5, 13, 1),
        )  # fmt: skip
        recnmp, hercules = authors_of("1912.12953"), authors_of("2203.07424")
        self.assertEqual(set(hercules), SIX)
        self.assertEqual({name for name in recnmp if recnmp[name] == hercules.get(name)}, SIX)
        self.assertEqual(len({author.pk for author in [*recnmp.values(), *hercules.values()]}), 21)

    def test_the_works_left_out_make_one_author_with_four_works_and_trust_17(self) -> None:
        ingest("arxiv", [str(DATA / "arxiv" / "left-out.tsv")])
        call_command("rebuild", verbosity=0)
        [liu_ke] = Author.objects.public().filter(display_name="Liu Ke")
        self.assertEqual((liu_ke.works_count, liu_ke.trust.value), (4, 17))

    def test_common_names_stay_apart(self) -> None:
        self.assertGreater(Author.objects.public().filter(display_name="Wei Zhang").count(), 3)

    def test_no_author_holds_two_orcids(self) -> None:
        per_author: dict[int, set[str]] = {}
        for author_id, orcid in (
            Authorship.objects.exclude(orcid="").values_list("author_id", "orcid").distinct()
        ):
            per_author.setdefault(author_id, set()).add(orcid)
        self.assertEqual([orcids for orcids in per_author.values() if len(orcids) > 1], [])

    def test_every_orcid_of_an_authorship_names_its_author(self) -> None:
        holders = dict(AuthorIdentifier.objects.filter(scheme="orcid").values_list("value", "author_id"))
        wrong = [
            (orcid, author_id)
            for orcid, author_id in Authorship.objects.exclude(orcid="").values_list("orcid", "author_id")
            if holders[orcid] != author_id
        ]
        self.assertEqual(wrong, [])
