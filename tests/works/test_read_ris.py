from datetime import date
from typing import Any
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st
from rispy.config import TYPE_OF_REFERENCE_MAPPING

from tests.works.files import DATA, read_bytes, read_file
from works.ingest import bibtex, ris
from works.ingest.files import UnreadableFile
from works.ingest.records import NEVER, Reject, SourceRef, WorkRecord, decode, encode

LIBRARY = DATA / "ris" / "library.ris"


def read(content: bytes | str) -> list[Any]:
    return read_bytes(ris, content.encode() if isinstance(content, str) else content, "file.ris")


def read_one(*lines: str, kind: str = "JOUR") -> Any:
    [item] = read("\n".join([f"TY  - {kind}", *lines, "ER  - ", ""]))
    return item


class LibraryTests(TestCase):
    def setUp(self) -> None:
        self.items = read_file(ris, LIBRARY)

    def test_every_reference_is_accounted_for(self) -> None:
        self.assertEqual(
            [
                (item.record_id[:12], item.type) if isinstance(item, WorkRecord) else item.reason
                for item in self.items
            ],
            [
                ("doi:10.5555/", "article"),
                (self.items[1].record_id[:12], "dissertation"),
                ("doi:10.5555/", "article"),
                (self.items[3].record_id[:12], "book"),
                "a reference without its type (TY)",
                "neither title nor authors",
            ],
        )
        self.assertEqual(self.items[4].snippet, "AU  - Nobody, N.\nTI  - A reference without its type")

    def test_an_article_is_read_whole(self) -> None:
        record = self.items[0]
        self.assertEqual(record.title, "A title that goes on over two lines &amp; <i>more</i>")
        self.assertEqual(
            [author.raw_name for author in record.authorships], ["John Smith Jr.", "Ke Liu", "Govindjee"]
        )
        self.assertEqual(record.abstract, "We invented it. And went on.")
        self.assertEqual(
            (record.publication_date, record.language, record.observed_at), (date(2019, 12, 30), "en", NEVER)
        )
        self.assertEqual(
            record.source,
            SourceRef(
                display_name="Nature of Inventions", issn=("0000-0019",), type="journal", host_organization_name="Invented Press"
            ),
        )  # fmt: skip
        self.assertEqual(record.identifiers, (("arxiv", "1912.12953"), ("doi", "10.5555/abc")))

    def test_old_tags_and_single_spaces_are_read(self) -> None:
        record = self.items[1]
        self.assertEqual(
            (record.title, record.publication_year, record.abstract, record.source),
            ("A thesis", 2001, "Its abstract.", None),
        )
        self.assertEqual([author.raw_name for author in record.authorships], ["Jane Doe"])
        self.assertEqual(self.items[3].title, "A book by its old tag")

    def test_a_reference_without_an_end_ends_where_the_next_begins(self) -> None:
        record = self.items[2]
        self.assertEqual(
            (record.title, record.partial_authors, record.source.type), ("Without an end", True, "conference")
        )

    def test_records_survive_their_encoding(self) -> None:
        for record in self.items:
            if isinstance(record, WorkRecord):
                self.assertEqual(decode(encode(record)), record)


class FieldTests(TestCase):
    def test_types(self) -> None:
        for kind, ours in (
            ("CHAP", "book-chapter"),
            ("ECHAP", "book-chapter"),
            ("CONF", "article"),
            ("ENCYC", "reference-entry"),
            ("RPRT", "report"),
            ("DATA", "dataset"),
            ("STAND", "standard"),
            ("thes", "dissertation"),
            ("ELEC", "other"),
            ("", "other"),
        ):
            self.assertEqual(read_one("TI  - T", kind=kind).type, ours)

    def test_every_type_of_the_library_is_read(self) -> None:
        for kind in TYPE_OF_REFERENCE_MAPPING:
            self.assertIsInstance(read_one("TI  - T", kind=kind), WorkRecord)

    def test_dates(self) -> None:
        for lines, expected in (
            (["PY  - 2019"], (2019, None)),
            (["PY  - 2019", "DA  - 2019/12/30"], (2019, date(2019, 12, 30))),
            (["Y1  - 2019/12/30/Winter"], (2019, date(2019, 12, 30))),
            (["DA  - 2019-12-30"], (2019, date(2019, 12, 30))),
            (["PY  - 0000"], (None, None)),
            (["DA  - 0000-00-00"], (None, None)),
            (["PY  - in press"], (None, None)),
            (["Y2  - 2020/01/01"], (None, None)),  # when somebody looked at it
        ):
            record = read_one("TI  - T", *lines)
            self.assertEqual((record.publication_year, record.publication_date), expected, lines)

    def test_everybody_under_both_tags_is_there_once(self) -> None:
        record = read_one("A1  - Smith, A.", "AU  - Smith, A.", "AU  - Smith, A.", "A1  - Doe, B.")
        self.assertEqual(
            [author.raw_name for author in record.authorships], ["A. Smith", "A. Smith", "B. Doe"]
        )

    def test_names_without_a_comma(self) -> None:
        record = read_one(
            "AU  - Liu Ke", "AU  - Invented University Press", "AU  - 刘洋", "AU  - William H. Press"
        )
        self.assertEqual(
            [author.raw_name for author in record.authorships], ["Liu Ke", "刘洋", "William H. Press"]
        )

    def test_1014_authors(self) -> None:
        self.assertEqual(len(read_one(*(f"AU  - F{number}, G." for number in range(1014))).authorships), 1014)

    def test_what_a_note_says_of_other_works_is_not_taken(self) -> None:
        self.assertEqual(read_one("TI  - T", "N1  - Comment on doi:10.5555/x by them").identifiers, ())
        self.assertEqual(read_one("TI  - T", "N1  - doi: 10.5555/x").identifiers, (("doi", "10.5555/x"),))
        self.assertEqual(read_one("TI  - T", "N1  - arXiv: 1912.12953 [cs]").type, "preprint")

    def test_the_same_reference_in_bibtex_is_found_by_the_same_digest(self) -> None:
        [other] = read_bytes(bibtex, b"@article{a, title={{The DNA} of it}, author={Smith, A.}, year=2019}")
        self.assertEqual(
            read_one("TI  - The DNA of it", "AU  - Smith, Ann", "PY  - 2019").record_id, other.record_id
        )


class HostileTests(TestCase):
    def test_line_ends_marks_and_encodings(self) -> None:
        content = "TY  - JOUR\r\nTI  - Über\x00 \u202eall\r\nER  - \r\n"
        [record] = read(b"\xef\xbb\xbf" + content.encode())
        self.assertEqual(record.title, "Über \u202eall")
        [latin] = read("TY  - JOUR\nTI  - Über\nAU  - Müller, J.\nER  - \n".encode("latin-1"))
        self.assertEqual((latin.title, latin.authorships[0].raw_name), ("Über", "J. Müller"))
        [surrogate] = read(b"TY  - JOUR\nTI  - T\xed\xa0\x80\nER  - \n")
        self.assertEqual(decode(encode(surrogate)), surrogate)

    def test_a_line_of_50_mb_costs_its_reference(self) -> None:
        items = read(b"TY  - JOUR\nAB  - " + b"x" * 50_000_000 + b"\nER  - \nTY  - JOUR\nTI  - T\nER  - \n")
        self.assertEqual([type(item) for item in items], [Reject, WorkRecord])
        self.assertEqual(items[0].reason, "longer than a record may be")
        lines = b"TY  - JOUR\n" + b"AB  - xxxxxxxxxxx\n" * 1_200_000 + b"TY  - JOUR\nTI  - T\n"
        self.assertEqual([type(item) for item in read(lines)], [Reject, WorkRecord])

    def test_a_file_that_breaks_off_is_read_up_to_there(self) -> None:
        [record] = read("TY  - JOUR\nTI  - T\nAU  - Smi")
        self.assertEqual((record.title, record.authorships[0].raw_name), ("T", "Smi"))

    def test_other_files_are_refused_with_a_sentence(self) -> None:
        for content, said in (
            (b"", "the file is empty"),
            (b"<html>", "a web page"),
            (b"@misc{a, title={T}}", "no RIS reference in it; it begins with '@misc{a, title={T}}'"),
            (b'[{"id": 1}]', "no RIS reference"),
            ("TY  - JOUR".encode("utf-16"), "UTF-16"),
            (b"[" * 100_000, "no RIS reference"),
        ):
            with self.assertRaises(UnreadableFile) as caught:
                read(content)
            self.assertIn(said, str(caught.exception))

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_damage_anywhere_gives_references_or_rejects(self, data: st.DataObject) -> None:
        content = bytearray(LIBRARY.read_bytes())
        for _ in range(data.draw(st.integers(1, 8))):
            place = data.draw(st.integers(0, len(content) - 1))
            piece = data.draw(
                st.sampled_from(
                    [b"", b"\n", b"TY  - ", b"ER  - ", b"AU  - ", b"\x00", b"\xff", b"ZZ  - ", b"UK  - "]
                )
            )
            content[place : place + data.draw(st.integers(0, 10))] = piece
        for item in read(bytes(content)):
            self.assertIsInstance(item, WorkRecord | Reject)
            if isinstance(item, WorkRecord):
                self.assertEqual(decode(encode(item)), item)

    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["TY", "ER", "AU", "TI", "PY", "DO", "T2", "SN", "UK", "A1", "N1", ""]),
                st.text(max_size=20),
            ),
            max_size=12,
        )
    )
    def test_any_lines_are_read_or_refused(self, lines: list[tuple[str, str]]) -> None:
        text = "\n".join(f"{tag}  - {value}" if tag else value for tag, value in lines)
        try:
            for item in read(text.encode("utf-8", "surrogatepass")):
                self.assertIsInstance(item, WorkRecord | Reject)
        except UnreadableFile as error:
            self.assertTrue(str(error))
