from tests.factories import make_author, make_work
from tests.works.sync_server import DOI, SyncTestCase
from works.models import (
    AuthorIdentifier,
)
from works.sync.errors import BadIdentifier
from works.sync.plan import plan


class IdentifierTests(SyncTestCase):
    def test_what_is_no_identifier_is_refused_with_an_example(self) -> None:
        for kind, text, words in [
            ("work", "Attention is all you need", "W2741809807"),
            ("work", "0000-0001-6187-6610", "a DOI"),
            ("work", "A5023888391", "a DOI"),
            ("work", "", "a DOI"),
            ("author", "10.7717/peerj.4375", "an ORCID iD"),
            ("author", "W2741809807", "an ORCID iD"),
            ("author", "zzzzzzz", "an ORCID iD"),
            ("orcid", "0000-0001-6187-6611", "an ORCID iD"),
            ("ror", "05wvpxv8", "a ROR id"),
            ("work", "10.1/" + "x" * 700, "a DOI"),
        ]:
            with self.subTest(kind=kind, text=text[:40]), self.assertRaisesRegex(BadIdentifier, words):
                plan(kind, text)

    def test_the_id_in_a_pages_address_names_the_record(self) -> None:
        work, author = make_work(), make_author()
        self.assertEqual(plan("work", work.pid).record, work)
        self.assertEqual(plan("author", author.pid).record, author)

    def test_an_identifier_of_a_record_that_is_here_names_it(self) -> None:
        work = make_work(doi=DOI)
        self.assertEqual(plan("work", DOI)[:3], ("work", "pid", work.pid))

    def test_a_merged_author_is_asked_for_as_the_one_who_stands(self) -> None:
        stands = make_author()
        gone = make_author(merged_into=stands)
        AuthorIdentifier.objects.create(author=gone, scheme="openalex", value="A5023888391")
        self.assertEqual(plan("author", "A5023888391").record, stands)
