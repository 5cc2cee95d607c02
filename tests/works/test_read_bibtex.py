import io
from datetime import date
from typing import Any
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.works.files import DATA, read_bytes, read_file
from works.ingest import bibtex
from works.ingest.bibtex_text import resolve, to_plain, to_title
from works.ingest.files import UnreadableFile
from works.ingest.records import NEVER, Reject, SourceRef, WorkRecord, decode, encode

LIBRARY = DATA / "bibtex" / "library.bib"


def read(content: bytes | str) -> list[Any]:
    return read_bytes(bibtex, content.encode() if isinstance(content, str) else content, "file.bib")


def read_one(fields: str, kind: str = "article") -> Any:
    [item] = read(f"@{kind}{{key, {fields}}}")
    return item


def names(author: str) -> list[str]:
    return [one.raw_name for one in read_one(f"title={{T}}, author={{{author}}}").authorships]


class LibraryTests(TestCase):
    def setUp(self) -> None:
        self.items = read_file(bibtex, LIBRARY)
        self.by_title = {item.title: item for item in self.items if isinstance(item, WorkRecord)}

    def test_every_entry_is_accounted_for(self) -> None:
        self.assertEqual(
            [item.title if isinstance(item, WorkRecord) else item.reason for item in self.items],
            [
                'A "quoted" word, with = and @homex',
                "By a group",
                "InvNMP, as dblp has it",
                "InvNMP, as Google Scholar has it",
                "On Inventing",
                "Four with commas",
                "Same key",
                "Same key, another work",
                "First title",
                "In (round) brackets",
                "not as BibTeX writes an entry: no comma after a field",
                "not as BibTeX writes an entry: Unexpectedly reached end of file.",
                "The brace on the next line",
                "Three",
                "on one",
                "line",
                "neither title nor authors",
                "Proceedings of InvCon 2020",
                "InvNMP: Accelerating $O(n^2)$ <i>Personalized</i> Inventions at 50% of the cost",
                "Takes from shared",
                "Its volume never comes",
            ],
        )

    def test_a_rejected_entry_shows_itself(self) -> None:
        [first, *_] = [item for item in self.items if isinstance(item, Reject)]
        self.assertEqual(first.snippet, "@article{nocomma, title={One} year=3}")

    def test_macros_concatenation_and_names(self) -> None:
        record = self.by_title['A "quoted" word, with = and @homex']
        self.assertEqual(
            [author.raw_name for author in record.authorships],
            [
                "Carl Ruler",
                "Józef Müller",
                "Łukasz Čech",
                "Charles Louis Xavier Joseph de la Vallée Poussin",
                "Erdős Pál",
            ],
        )
        self.assertEqual(
            (record.source, record.publication_year, record.language, record.record_id),
            (
                SourceRef(
                    display_name="Annals of Invented Science", issn=("0000-0019", "0000-0027"), type="journal"
                ),
                1997,
                "en",
                "doi:10.5555/accents.1",
            ),
        )

    def test_a_paper_takes_from_its_proceedings_what_it_lacks(self) -> None:
        record = self.by_title[
            "InvNMP: Accelerating $O(n^2)$ <i>Personalized</i> Inventions at 50% of the cost"
        ]
        self.assertEqual(
            (record.type, record.publication_year, record.source, record.identifiers),
            (
                "article",
                2020,
                SourceRef(
                    display_name="Proceedings of InvCon 2020",
                    type="conference",
                    host_organization_name="Inv & Sons",
                ),
                (("doi", "10.5555/978-3-000-46478-7_31"),),
            ),
        )
        self.assertEqual(
            [author.raw_name for author in record.authorships], ["Carole-Jean Wu", "Ludwig van der Berg Jr."]
        )
        self.assertTrue(record.partial_authors)
        self.assertEqual(record.abstract, "We invent AT&T -- and ``quote'' H$_2$O.")
        self.assertEqual(self.by_title["Takes from shared"].publication_year, 2001)

    def test_a_group_is_nobody_and_chinese_names_are(self) -> None:
        record = self.by_title["By a group"]
        self.assertEqual([author.raw_name for author in record.authorships], ["刘洋", "Ke Liu"])
        self.assertEqual(record.publication_date, date(2016, 5, 4))

    def test_arxiv_is_known_however_it_is_written(self) -> None:
        for title in ("InvNMP, as dblp has it", "InvNMP, as Google Scholar has it"):
            record = self.by_title[title]
            self.assertEqual(
                (record.record_id, record.type, record.identifiers, record.source and record.source.openalex),
                ("arxiv:1912.12953", "preprint", (("arxiv", "1912.12953"),), "S4306400194"),
            )

    def test_the_anthology_is_known_by_its_address(self) -> None:
        record = self.by_title["On Inventing"]
        self.assertEqual(
            (record.record_id, record.identifiers, [author.raw_name for author in record.authorships]),
            ("acl:2020.inv-main.1", (("acl", "2020.inv-main.1"),), ["A. Smith", "B. Jones"]),
        )

    def test_nobody_knows_when_a_list_was_changed(self) -> None:
        self.assertEqual({item.observed_at for item in self.by_title.values()}, {NEVER})

    def test_records_survive_their_encoding(self) -> None:
        for record in self.by_title.values():
            self.assertEqual(decode(encode(record)), record)


class IdTests(TestCase):
    def test_the_same_entry_has_the_same_id_whatever_its_key_and_dress(self) -> None:
        ids = {
            read(entry)[0].record_id
            for entry in (
                '@article{a, title={{The} {DNA} of M{\\"u}ller}, author={M{\\"u}ller, J.}, year=2001}',
                "@article{b, author = {J. Müller and B. C}, year = {2001}, title = {The DNA of Müller.}}",
                "@misc{c, title = {the dna of muller}, author={Jane Muller}, date={2001-05-01}, note={x}}",
            )
        }
        self.assertEqual(len(ids), 1)
        [other] = read("@article{a, title={The DNA of Müller}, author={Müller, J.}, year=2002}")
        self.assertNotIn(other.record_id, ids)

    def test_where_ids_stand(self) -> None:
        for fields, identifiers in (
            ("doi={https://doi.org/10.5555/A%2FB}", (("doi", "10.5555/a/b"),)),
            ("doi={https://doi.org/10.5555%2FAB}", (("doi", "10.5555/ab"),)),
            ("doi={10.1000/(sici)1{\\textless}1::aid{\\textgreater}3.0.co;2-8}", (("doi", "10.1000/(sici)1<1::aid>3.0.co;2-8"),)),
            ("url={http://dx.doi.org/10.5555/AB?x=1}", (("doi", "10.5555/ab"),)),
            ("note={doi: 10.5555/AB}", (("doi", "10.5555/ab"),)),
            ("note={An erratum is at doi: 10.5555/other}", ()),
            ("eprint={cs/9809007v1}, archivePrefix={arXiv}", (("arxiv", "cs/9809007"),)),
            ("eprint={12345}, eprinttype={pubmed}", (("pmid", "12345"),)),
            ("pmid={12345}", (("pmid", "12345"),)),
            ("url={https://www.aclweb.org/anthology/papers/P/P19/P19-1001/}", (("acl", "P19-1001"),)),
            ("url={https://aclanthology.org/volumes/2020.acl-main/}", ()),
            ("url={https://pubmed.ncbi.nlm.nih.gov/12345/}", (("pmid", "12345"),)),
            ("doi={10.48550/arXiv.1912.12953}", (("arxiv", "1912.12953"), ("doi", "10.48550/arxiv.1912.12953"))),
        ):  # fmt: skip
            self.assertEqual(read_one("title={T}, " + fields).identifiers, identifiers, fields)


class FieldTests(TestCase):
    def test_names(self) -> None:
        for author, expected in (
            ("Wu, Carole-Jean", ["Carole-Jean Wu"]),
            ("van der Berg, Jr., Ludwig", ["Ludwig van der Berg Jr."]),
            ("Ludwig van Beethoven AND Ann Other", ["Ludwig van Beethoven", "Ann Other"]),
            ("{Barnes {and} Noble} and Doe, J.", ["J. Doe"]),
            ("Smith, J.; Doe, A.", ["J. Smith", "A. Doe"]),
            ("J. Smith, A. Jones and St. John, B.", ["J. Smith", "A. Jones", "B. St. John"]),
            ("A~B. Smith", ["A B. Smith"]),
            ("{\\'E}tienne {\\'E}.", ["Étienne É."]),
            ("others", []),
            ("World Health Organization", []),
            ("Plato", ["Plato"]),
            ("William H. Press", ["William H. Press"]),
            (" and and ", []),
            ("Smith,", ["Smith"]),
            (",,,", []),
            ("Liu\u202e Ke\u200b", ["Liu Ke"]),
        ):
            self.assertEqual(names(author), expected, author)

    def test_3000_authors(self) -> None:
        self.assertEqual(len(names(" and ".join(f"Family{number}, Given" for number in range(3000)))), 3000)

    def test_types(self) -> None:
        for kind, ours in (
            ("InProceedings", "article"),
            ("incollection", "book-chapter"),
            ("mastersthesis", "dissertation"),
            ("techreport", "report"),
            ("dataset", "dataset"),
            ("unpublished", "other"),
            ("whatever", "other"),
        ):
            self.assertEqual(read_one("title={T}", kind).type, ours)

    def test_dates(self) -> None:
        for fields, expected in (
            ("year={0000}", (None, None)),
            ("year={to appear}", (None, None)),
            ("year={2019a}", (2019, None)),
            ("year=2019, month=dec, day=30", (2019, date(2019, 12, 30))),
            ("year=2019, month={30~}#dec", (2019, None)),
            ("year=2019, month=13, day=1", (2019, None)),
            ("date={2019-12-30T10:00:00Z}", (2019, date(2019, 12, 30))),
            ("date={2019-21}", (2019, None)),
            ("date={0000-00-00}, year=2018", (2018, None)),
        ):
            record = read_one("title={T}, " + fields)
            self.assertEqual((record.publication_year, record.publication_date), expected, fields)

    def test_latex_is_read(self) -> None:
        for text, shown in (
            ("{The {DNA} of \\emph{E. coli}}", "The DNA of <i>E. coli</i>"),
            ("10% of AT&T and 5\\% of A\\&B # 1", "10% of AT&T and 5% of A&B # 1"),
            ("\\textsuperscript{13}C and $x_{1} < {y}$", "<sup>13</sup>C and $x_{1} < {y}$"),
            ("na{\\\"\\i}ve \\'{\\i} \\O re \\ss{}", "naïve í Øre ß"),
            ("\\href{http://x}{Shown} \\url{http://y/a%20b_c}", "Shown http://y/a%20b_c"),
            ("{\\textless}sub{\\textgreater}2{\\textless}/sub{\\textgreater}", "<sub>2</sub>"),
            ("text \\cite[p.~3]{x} \\footnote{y}end", "text end"),
            ("{" * 5000 + "deep \\o", "deep \\o"),
            ("\\emph", ""),
            ("costs $5", "costs $5"),
        ):
            self.assertEqual(to_title(text), shown)
        self.assertEqual(to_plain("\\emph{Given} {F}amily"), "Given Family")

    def test_parts_are_joined(self) -> None:
        macros = {"a": "Alpha"}
        for value, text in (
            ('a # " and " # {B {#} C}', "Alpha and B {#} C"),
            ("unknown", "unknown"),
            ("2019", "2019"),
            ('"q{"}q"', 'q{"}q'),
            ("{}", ""),
            ("", ""),
        ):
            self.assertEqual(resolve(value, macros, 100), text)
        self.assertEqual(resolve(" # ".join(["a"] * 1000), macros, 12), "AlphaAlphaAl")
        for value in ("{One} year = 3", "{One} {Two}", '"One" "Two"', "a {b}"):
            with self.assertRaises(ValueError):
                resolve(value, macros, 100)


class HostileTests(TestCase):
    def test_macros_that_double_do_not_grow_without_end(self) -> None:
        [record] = read(
            "@string{a = {xxxxxxxxxx}}\n"
            + "@string{a = a # a}\n" * 60
            + "@misc{k, title = a # a, author={A B}}"
        )
        self.assertEqual(set(record.title), {"x"})
        self.assertLessEqual(len(record.title), 10_000)

    def test_nul_and_other_encodings(self) -> None:
        [record] = read("@misc{k, title = {Über\x00}, author={Müller\u202e, J.}}".encode("latin-1", "ignore"))
        self.assertEqual((record.title, record.authorships[0].raw_name), ("Über", "J. Müller"))
        [with_mark] = read(b"\xef\xbb\xbf@misc{k, title={T}}")
        self.assertEqual(with_mark.title, "T")
        [surrogate] = read(b"@misc{k, title={T \xed\xa0\x80}}")
        self.assertEqual(decode(encode(surrogate)), surrogate)

    def test_an_entry_of_50_mb_is_passed_over(self) -> None:
        items = read(b"@misc{a, title={" + b"x" * 50_000_000 + b"}}\n@misc{b, title={B}}")
        self.assertEqual([type(item) for item in items], [Reject, WorkRecord])
        self.assertEqual(items[0].reason, "longer than a record may be")
        lines = b"@misc{a, title={" + b"xxxxxxxxx\n" * 1_800_000 + b"}}\n@misc{b, title={B}}"
        self.assertEqual([type(item) for item in read(lines)], [Reject, WorkRecord])

    def test_nesting_is_one_reject_or_read(self) -> None:
        [item] = read("@misc{a, title={" + "{" * 4000 + "x" + "}" * 4000 + "}}")
        self.assertEqual(item.title, "x")
        deep = "@misc{a, title={" + "{" * 100_000 + "x" + "}" * 100_000 + "}}"
        self.assertEqual([item.reason for item in read(deep)], ["neither title nor authors"])
        self.assertEqual([type(item) for item in read("@misc{a, title={" + "{" * 100_000)], [Reject])
        self.assertEqual([type(item) for item in read("@misc{a, title=" + "[" * 100_000 + "}")], [WorkRecord])

    def test_a_file_that_breaks_off_loses_its_last_entry(self) -> None:
        items = read(LIBRARY.read_bytes()[:-20])
        self.assertEqual(items[-1].reason, "not as BibTeX writes an entry: Unexpectedly reached end of file.")
        self.assertEqual(len(items), 21)

    def test_other_files_are_refused_with_a_sentence(self) -> None:
        for content, said in (
            (b"", "the file is empty"),
            (b"<!doctype html>\n<html>", "a web page"),
            (b"TY  - JOUR\nER  - \n", "no BibTeX entry in it; it begins with 'TY - JOUR ER -'"),
            (b'{"DOI": "10.5555/x"}', "no BibTeX entry"),
            ("@misc{a}".encode("utf-16"), "UTF-16"),
            (b"\x00\xff\xfe", "no BibTeX entry"),
        ):
            with self.assertRaises(UnreadableFile) as caught:
                read(content)
            self.assertIn(said, str(caught.exception))

    def test_those_that_wait_are_held_within_bounds(self) -> None:
        children = (
            b"@misc{c%d, crossref={never}, title={%s}}\n" % (number, b"x" * 90_000) for number in range(1000)
        )
        stream = io.BytesIO(b"".join(children) + b"@proceedings{never, title={P}, year=2000}")
        items = bibtex.read_stream(stream, "file.bib")
        first = next(items)
        self.assertIsInstance(first, WorkRecord)
        self.assertLess(stream.tell(), 40_000_000)
        self.assertEqual(sum(1 for _ in items), 1000)

    @settings(max_examples=400, deadline=None)
    @given(st.data())
    def test_damage_anywhere_gives_records_or_rejects(self, data: st.DataObject) -> None:
        content = bytearray(LIBRARY.read_bytes())
        for _ in range(data.draw(st.integers(1, 8))):
            place = data.draw(st.integers(0, len(content) - 1))
            piece = data.draw(
                st.sampled_from(
                    [b"", b"{", b"}", b'"', b",", b"=", b"#", b"@", b"\\", b"\n@a{", b"\xff", b"$", b"%"]
                )
            )
            content[place : place + data.draw(st.integers(0, 10))] = piece
        for item in read(bytes(content)):
            self.assertIsInstance(item, WorkRecord | Reject)
            if isinstance(item, WorkRecord):
                self.assertEqual(decode(encode(item)), item)

    @settings(max_examples=300, deadline=None)
    @given(st.text(alphabet='@abc{}(),="#\\$%~ \n\'"', max_size=120))
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        try:
            for item in read(f"@misc{{{text}"):
                self.assertIsInstance(item, WorkRecord | Reject)
        except UnreadableFile as error:
            self.assertTrue(str(error))
        to_title(text)
