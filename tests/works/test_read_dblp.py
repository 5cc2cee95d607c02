import io
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from unittest import SkipTest, TestCase

from bzpeer.lib.markup import render
from tests.works.files import DATA, read_bytes, read_file
from works.ingest import dblp
from works.ingest.files import UnreadableFile, read_records
from works.ingest.records import NEVER, AuthorRecord, Reject, WorkRecord
from works.ingest.xml_elements import CHUNK

HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE dblp SYSTEM "dblp-2023-06-28.dtd">\n<dblp>\n'


def dump(*records: str, head: str = HEAD) -> bytes:
    return f"{head}{''.join(records)}</dblp>".encode("latin-1")


def one(record: str):
    [item] = read_bytes(dblp, dump(record))
    return item


def article(inside: str = "", attributes: str = 'key="journals/x/Doe31"') -> str:
    return f"<article {attributes}><author>Jo Doe</author><title>A Title.</title>{inside}</article>"


class ReadRealRecordsTests(TestCase):
    def setUp(self) -> None:
        self.works = {work.record_id: work for work in read_file(dblp, DATA / "dblp" / "cacm.xml")}

    def test_articles_are_read_whole_from_a_cut_whose_last_tag_is_wrong(self) -> None:
        self.assertEqual(len(self.works), 9)
        work = self.works["journals/cacm/PenaHC06"]
        self.assertEqual(
            (work.type, work.title, work.publication_year, work.observed_at),
            (
                "article",
                "Multi-agent system product lines: challenges and benefits",
                2006,
                datetime(2018, 11, 6, tzinfo=UTC),
            ),
        )
        self.assertEqual(
            work.identifiers, (("dblp", "journals/cacm/PenaHC06"), ("doi", "10.1145/1183236.1183272"))
        )
        self.assertEqual(
            (work.source.display_name, work.source.type, work.source.dblp),
            ("Commun. ACM", "journal", "journals/cacm"),
        )

    def test_names_have_their_letters_and_orcids(self) -> None:
        self.assertEqual(
            [(a.raw_name, a.orcid) for a in self.works["journals/cacm/PenaHC06"].authorships],
            [
                ("Joaquín Peña", "0000-0001-9216-9695"),
                ("Michael G. Hinchey", ""),
                ("Antonio Ruiz Cortés", "0000-0001-9827-1834"),
            ],
        )
        self.assertEqual(self.works["journals/cacm/Sjoberg10"].authorships[0].raw_name, "Dag I. K. Sjøberg")

    def test_a_homonym_number_is_an_id_and_no_part_of_the_name(self) -> None:
        first, second = self.works["journals/cacm/KulkarniPWRBC09"].authorships[:2]
        self.assertEqual((first.raw_name, first.dblp), ("Milind Kulkarni", "Milind Kulkarni 0001"))
        self.assertEqual((second.raw_name, second.dblp), ("Keshav Pingali", ""))

    def test_dois_behind_old_resolvers_count_and_a_work_may_lack_authors(self) -> None:
        old = self.works["journals/cacm/Colker63a"]
        self.assertIn(("doi", "10.1145/366663.366672"), old.identifiers)
        self.assertEqual(self.works["journals/cacm/Spinellis03"].authorships, ())

    def test_entries_of_an_encyclopedia_are_read(self) -> None:
        works = read_file(dblp, DATA / "dblp" / "vision.xml")
        self.assertEqual({work.type for work in works}, {"reference-entry"})
        self.assertEqual(
            {(work.source.display_name, work.source.dblp) for work in works},
            {("Computer Vision, A Reference Guide", "reference/vision")},
        )
        self.assertIn("Matti Pietikäinen", [a.raw_name for work in works for a in work.authorships])


class ReadPublicationTests(TestCase):
    def test_each_kind_has_openalexs_word(self) -> None:
        for tag, key, publtype, kind in (
            ("article", "journals/x/A1", "", "article"),
            ("article", "journals/x/A1", "survey", "review"),
            ("article", "journals/iacr/A1", "informal", "preprint"),
            ("article", "tr/meltdown/s18", "informal", "report"),
            ("article", "persons/Ley95", "informal", "other"),
            ("inproceedings", "conf/x/A1", "", "article"),
            ("inproceedings", "conf/x/A1", "edited", "editorial"),
            ("incollection", "books/sp/A1", "", "book-chapter"),
            ("proceedings", "conf/x/2031", "", "book"),
            ("book", "books/x/A1", "edited", "book"),
            ("phdthesis", "phd/A1", "", "dissertation"),
            ("phdthesis", "phd/dnb/A1", "habil", "dissertation"),
            ("mastersthesis", "ms/A1", "", "dissertation"),
            ("data", "data/10/A1", "", "dataset"),
            ("www", "www/org/w3/A1", "", "other"),
        ):
            work = one(f'<{tag} key="{key}" publtype="{publtype}"><title>A Title.</title></{tag}>')
            self.assertEqual((work.record_id, work.type), (key, kind))

    def test_corr_is_arxiv_as_it_is_for_everybody_else(self) -> None:
        work = one(
            '<article publtype="informal" key="journals/corr/abs-1912-12953" mdate="2020-01-09"><author>Liu Ke</author>'
            "<title>RecNMP.</title><journal>CoRR</journal><volume>abs/1912.12953</volume><year>2019</year>"
            '<ee type="oa">http://arxiv.org/abs/1912.12953</ee><ee>https://doi.org/10.48550/arXiv.1912.12953</ee></article>'
        )
        self.assertEqual(
            work.identifiers,
            (
                ("dblp", "journals/corr/abs-1912-12953"),
                ("arxiv", "1912.12953"),
                ("doi", "10.48550/arxiv.1912.12953"),
            ),
        )
        self.assertEqual(
            (work.type, work.source.display_name, work.source.openalex, work.is_oa),
            ("preprint", "arXiv", "S4306400194", True),
        )
        old = one(article("<volume>cs.CL/0102003</volume>", 'key="journals/corr/cs-CL-0102003"'))
        self.assertIn(("arxiv", "cs/0102003"), old.identifiers)

    def test_links_tell_of_identifiers_and_of_open_texts(self) -> None:
        work = one(
            article(
                '<ee type="oa">https://aclanthology.org/P19-1001/</ee>'
                "<ee>https://www.aclweb.org/anthology/2020.acl-main.12.pdf</ee>"
                "<ee>https://doi.org/10.1002/%28SICI%291097-0258%2820310115%291:1%3C1::AID-SIM1%3E3.0.CO;2-A</ee>"
                "<ee>https://doi.org/10.1234/nul%00byte</ee>"
                "<ee>https://publisher.example/doi/10.1234/page/full</ee><ee>https://www.wikidata.org/entity/Q1</ee>"
            )
        )
        self.assertEqual(
            work.identifiers,
            (
                ("dblp", "journals/x/Doe31"),
                ("acl", "P19-1001"),
                ("acl", "2020.acl-main.12"),
                ("doi", "10.1002/(sici)1097-0258(20310115)1:1<1::aid-sim1>3.0.co;2-a"),
                ("doi", "10.1234/nulbyte"),
            ),
        )
        self.assertTrue(work.is_oa)

    def test_titles_keep_their_markup_and_lose_dblps_full_stop(self) -> None:
        for title, read, plain in (
            ("O(n<sup>2</sup>) is <i>not</i> <tt>P</tt>.", "O(n<sup>2</sup>) is <i>not</i> <code>P</code>", "O(n2) is not P"),
            ("Why?", "Why?", "Why?"),
            ("And then...", "And then...", "And then..."),
            ('An <ref href="db/x">old</ref> one.', "An old one", "An old one"),
            ("DB&amp;LP &lt; &Uuml;", "DB&LP < Ü", "DB&LP < Ü"),
        ):  # fmt: skip
            work = one(f'<article key="journals/x/A1"><title>{title}</title></article>')
            self.assertEqual((work.title, render(work.title).plain), (read, plain))

    def test_sources_are_streams(self) -> None:
        for key, inside, source in (
            ("conf/acl/Doe31", "<booktitle>ACL (1)</booktitle>", ("ACL", "conference", "conf/acl")),
            ("books/sp/Doe31", "<booktitle>A Handbook</booktitle>", ("A Handbook", "", "")),
            ("journals/x/Doe31", "<journal>X</journal><stream>streams/journals/xy</stream>", ("X", "journal", "journals/xy")),
        ):  # fmt: skip
            work = one(
                f'<inproceedings key="{key}"><title>A Title.</title><author>A B</author>{inside}</inproceedings>'
            )
            self.assertEqual((work.source.display_name, work.source.type, work.source.dblp), source)
        volume = one(
            '<proceedings key="conf/acl/2031"><editor>Edda Editor</editor><title>ACL 2031.</title><booktitle>ACL</booktitle>'
            '<series href="db/journals/lncs.html">LNCS</series></proceedings>'
        )
        self.assertEqual(
            (volume.source.display_name, volume.source.type, volume.source.dblp),
            ("LNCS", "book series", "journals/lncs"),
        )
        self.assertEqual(volume.authorships, ())
        self.assertIsNone(one('<phdthesis key="phd/A1"><title>T.</title></phdthesis>').source)

    def test_a_thesis_was_written_at_its_school(self) -> None:
        work = one(
            '<phdthesis key="phd/A1"><author>Jo Doe</author><title>T.</title><school>A School</school></phdthesis>'
        )
        self.assertEqual(work.authorships[0].raw_affiliations, ("A School",))

    def test_citations_are_references(self) -> None:
        work = one(
            article("<cite>...</cite><cite>conf/x/Y1</cite><cite>conf/x/Y1</cite><cite>journals/x/Z2</cite>")
        )
        self.assertEqual(work.references, (("dblp", "conf/x/Y1"), ("dblp", "journals/x/Z2")))

    def test_a_withdrawn_work_says_only_which_it_was(self) -> None:
        work = one(
            article(
                "<ee>https://doi.org/10.1234/x</ee>",
                'key="journals/corr/A" publtype="informal withdrawn" mdate="2022-12-15"',
            )
        )
        self.assertEqual(
            work,
            WorkRecord(
                provider="dblp",
                record_id="journals/corr/A",
                type="preprint",
                identifiers=(("dblp", "journals/corr/A"), ("doi", "10.1234/x")),
                observed_at=datetime(2022, 12, 15, tzinfo=UTC),
                withdrawn=True,
            ),
        )


class ReadPersonTests(TestCase):
    def test_a_home_page_is_its_person(self) -> None:
        person = one(
            '<www mdate="2031-05-06" key="homepages/l/JoDoe"><author>Jo Doe 0002</author><author>Jos&eacute; Doe</author>'
            "<author>Jo Doe 0007</author><title>Home Page</title>"
            '<note type="affiliation" label="since 2010">University of Nowhere</note>'
            '<note type="affiliation" label="2001-2005">Elsewhere</note><note type="affiliation" label="former"/>'
            '<note type="award" label="2012">A Prize</note><note type="uname">&#30333;&#30363;</note>'
            "<url>https://orcid.org/0000-0002-1825-0097</url><url>https://www.wikidata.org/entity/Q42</url>"
            '<url>https://nowhere.example/~doe</url><url type="deprecated">https://old.example/</url>'
            "<url>ftp://nowhere.example/</url><url>http://[::1</url></www>"
        )
        self.assertEqual(
            (person.record_id, person.display_name, person.names, person.observed_at),
            ("l/JoDoe", "Jo Doe", ("José Doe", "白皛"), datetime(2031, 5, 6, tzinfo=UTC)),
        )
        self.assertEqual(
            person.identifiers,
            (
                ("dblp", "l/JoDoe"),
                ("dblp", "Jo Doe 0002"),
                ("dblp", "Jo Doe 0007"),
                ("orcid", "0000-0002-1825-0097"),
                ("wikidata", "Q42"),
            ),
        )
        self.assertEqual(
            [(a.raw, a.first_year, a.last_year) for a in person.affiliations],
            [("University of Nowhere", 2010, None), ("Elsewhere", 2001, 2005)],
        )
        self.assertEqual(person.links, (("nowhere.example", "https://nowhere.example/~doe"),))

    def test_the_number_of_a_works_author_leads_to_the_person(self) -> None:
        work, person = read_bytes(
            dblp,
            dump(
                article().replace("Jo Doe", "Jo Doe 0002"),
                '<www key="homepages/1/2-3"><author>Jo Doe 0002</author><title>Home Page</title></www>',
            ),
        )
        self.assertIn(("dblp", work.authorships[0].dblp), person.identifiers)

    def test_a_page_that_another_took_over_says_which(self) -> None:
        person = one('<www key="homepages/45/123"><crossref>homepages/55/1002</crossref></www>')
        self.assertEqual(
            person,
            AuthorRecord(
                provider="dblp",
                record_id="45/123",
                identifiers=(("dblp", "45/123"),),
                merged_into="55/1002",
                display_name="",
            ),
        )

    def test_pages_of_no_single_person_are_rejects(self) -> None:
        for attributes, inside, reason in (
            ('key="homepages/l/Li" publtype="disambiguation"', "<author>Li</author>", "several people"),
            ('key="homepages/d/Delphi" publtype="group noshow"', "<author>Delphi</author>", "a group"),
            ('key="homepages/x/1"', "<author> </author>", "without a name"),
            ('key="dblpnote/error"', "<title>(error)</title>", "a note of dblp's own"),
        ):
            item = one(f"<www {attributes}>{inside}</www>")
            self.assertIsInstance(item, Reject)
            self.assertIn(reason, item.reason)

    def test_a_file_of_one_person_is_read(self) -> None:
        person, homonym, work = read_bytes(
            dblp,
            b'<?xml version="1.0"?><dblpperson name="Di Test 0001" pid="95/1-1" n="1"><person key="homepages/95/1-1">'
            b'<author pid="95/1-1">Di Test 0001</author></person><homonyms n="1"><h f="t/Test:Di"><person'
            b' publtype="disambiguation" key="homepages/95/1"><author pid="95/1">Di Test</author></person></h></homonyms>'
            b'<r><inproceedings key="conf/x/TestN12"><author pid="95/1-1">Di Test 0001</author><title>T.</title>'
            b'</inproceedings></r><coauthors n="0" nc="0"></coauthors></dblpperson>',
        )
        self.assertEqual(
            [person.record_id, type(homonym), work.authorships[0].dblp], ["95/1-1", Reject, "Di Test 0001"]
        )


class EntityTests(TestCase):
    def test_the_entities_of_the_dtd_are_known_in_texts_and_attributes(self) -> None:
        work = one(
            article(
                "<journal>Caf&eacute; &THORN;&yuml;&szlig;&micro;&times;&reg;</journal>",
                'key="journals/x/Doe31" mdate="2031-01-0&#50;"',
            )
        )
        self.assertEqual(work.source.display_name, "Café Þÿßµ×®")
        self.assertEqual(work.observed_at.day, 2)
        self.assertEqual(b"".join(dblp.without_entities([b'<a b="&Auml;&quot;">'])), b'<a b="&#196;&quot;">')

    def test_an_entity_may_be_cut_in_two_anywhere(self) -> None:
        text = "A &uuml;&amp;&szlig; & B &nosuchentity; <b>&eacute;"
        whole = b"".join(dblp.without_entities([text.encode()]))
        self.assertEqual(whole, b"A &#252;&amp;&#223; & B &amp;nosuchentity; <b>&#233;")
        for cut in range(len(text)):
            pieces = [text[:cut].encode(), text[cut:].encode()]
            self.assertEqual(b"".join(dblp.without_entities(pieces)), whole)
        self.assertEqual(
            b"".join(dblp.without_entities(text[i : i + 1].encode() for i in range(len(text)))), whole
        )

    def test_records_on_both_sides_of_a_chunks_end_are_whole(self) -> None:
        record = article("<journal>Caf&eacute;</journal>")
        for shift in range(-40, 40, 3):
            padding = " " * (CHUNK - len(HEAD) - len(record) + shift)
            works = read_bytes(dblp, dump(padding, record, record))
            self.assertEqual([work.source.display_name for work in works], ["Café", "Café"])

    def test_an_entity_that_nobody_declares_costs_itself_only(self) -> None:
        work = one(article("<journal>A &nosuch; B</journal>"))
        self.assertEqual(work.source.display_name, "A &nosuch; B")

    def test_bytes_are_read_in_the_encoding_that_the_file_names(self) -> None:
        record = article("<journal>Café</journal>")
        for encoding in ("ISO-8859-1", "UTF-8"):
            head = HEAD.replace("ISO-8859-1", encoding)
            [work] = read_bytes(dblp, f"{head}{record}</dblp>".encode(encoding))
            self.assertEqual(work.source.display_name, "Café")


class HostileFileTests(TestCase):
    def refused(self, content: bytes, sentence: str, kept: int = 0) -> None:
        items = []
        with self.assertRaisesRegex(UnreadableFile, sentence) as caught:
            for item in dblp.read_stream(io.BytesIO(content), "x.xml"):
                items.append(item)
        self.assertEqual(len(items), kept)
        self.assertRegex(str(caught.exception), r"^x\.xml: .*\.$")

    def test_a_cut_off_file_gives_the_records_before_the_cut(self) -> None:
        whole = dump(article(), article(), article())
        self.refused(whole[: whole.rindex(b"<article") + 60], "damaged or cut off", kept=2)
        self.refused(whole[: whole.rindex(b"<article")], "damaged or cut off", kept=2)

    def test_a_damaged_file_gives_the_records_before_the_damage(self) -> None:
        for damage in ("<b>", "\x01", "&#xD800;", "&#0;", "&", "<a b=1/>", "\x00"):
            self.refused(dump(article(), article(damage), article()), "damaged or cut off", kept=1)

    def test_only_the_naming_of_dblps_dtd_is_let_through(self) -> None:
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
        for doctype in (
            f'<!DOCTYPE dblp SYSTEM "dblp.dtd" [{laughs}]>',
            f"<!DOCTYPE dblp [{laughs}]>",
            '<!DOCTYPE dblp SYSTEM "dblp.dtd" [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE dblp SYSTEM "dblp.dtd" []>',
            '<!DOCTYPE dblp SYSTEM "http://127.0.0.1:9/evil.dtd">',
            '<!DOCTYPE dblp PUBLIC "x" "dblp.dtd">',
            '<!DOCTYPE dblp SYSTEM "dblp.dtd"><!DOCTYPE dblp SYSTEM "dblp.dtd">',
        ):
            content = dump(article("<journal>&l9;&x;</journal>"), head=f"{doctype}<dblp>")
            self.refused(content, "document type.*refused")
        for doctype in ("dblp.dtd", "https://dblp.org/xml/release/dblp-2019-11-22.dtd"):
            head = f"<!DOCTYPE dblp SYSTEM '{doctype}'><dblp>"
            self.assertEqual(len(read_bytes(dblp, dump(article(), head=head))), 1)

    def test_files_of_others_are_told_apart(self) -> None:
        for content, sentence in {
            (
                DATA / "acl" / "D19.xml"
            ).read_bytes(): "not a file of dblp; its outermost element is <collection>",
            b"<html><body><p>Not found<br></body></html>": "its outermost element is <html>",
            b"<result><hits/></result>": "its outermost element is <result>",
            b'{"result": {}}': "nor XML at all",
            b"": "the file is empty",
            b" \n": "the file is empty",
            b"\x00\xff%PDF": "nor XML at all",
        }.items():
            self.refused(content, sentence)

    def test_elements_in_elements_without_end_are_refused(self) -> None:
        self.refused(dump(article(), article("<i>" * 300 + "</i>" * 300)), "damaged or cut off", kept=1)

    def test_what_is_no_record_is_a_reject(self) -> None:
        items = read_bytes(
            dblp, dump("<foo>1</foo>", article(), "<foo>2</foo><bar/>", article(), "<foo>3</foo>")
        )
        self.assertEqual(
            [item.snippet if isinstance(item, Reject) else "work" for item in items],
            ["<foo>1</foo>", "work", "<foo>2</foo>", "<bar/>", "work", "<foo>3</foo>"],
        )

    def test_odd_values_cost_themselves_only(self) -> None:
        work = one(
            '<article key="journals/x/A1" mdate="0000-00-00"><author/><author> </author><author>0001</author>'
            f'<author orcid="0000">Jo Doe 00012</author><author>{"x" * 5000} 0001</author><title/>'
            "<month>0</month><year>0</year><ee/><journal/></article>"
        )
        self.assertEqual([a.raw_name for a in work.authorships], ["0001", "Jo Doe 00012", "x" * 255])
        self.assertEqual(
            (work.observed_at, work.publication_year, work.source, work.authorships[1].dblp),
            (NEVER, None, None, ""),
        )
        for record in (
            "<article><title>No key.</title></article>",
            '<article key="nokey"><title>T.</title></article>',
            '<article key="a/b c"><title>T.</title></article>',
            '<article key="journals/x/A1"/>',
        ):
            self.assertIsInstance(one(record), Reject)

    def test_bytes_changed_at_random_bring_records_rejects_or_a_sentence(self) -> None:
        chance = Random(7)
        whole = (DATA / "dblp" / "cacm.xml").read_bytes()
        for _ in range(400):
            content = bytearray(whole)
            for _ in range(3):
                start = chance.randrange(len(content))
                content[start : start + chance.randrange(20)] = chance.randbytes(chance.randrange(4))
            with suppress(UnreadableFile):
                for item in dblp.read_stream(io.BytesIO(bytes(content)), "x.xml"):
                    self.assertNotIn("\\x00", repr(item))


class RealFilesTests(TestCase):
    def test_every_record_is_read(self) -> None:
        """Every real file a developer has: DATA=path names a folder with dblp/ in it."""
        if not os.environ.get("DATA"):
            raise SkipTest("reads further real files where DATA=path names a folder of them")
        paths = sorted(Path(os.environ["DATA"], "dblp").glob("*.xml*"))
        self.assertTrue(paths)
        for path in paths:
            with self.subTest(path.name):
                items = list(read_records(dblp, path))
                self.assertEqual({type(item) for item in items}, {WorkRecord})
