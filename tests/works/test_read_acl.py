import io
import os
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any
from unittest import SkipTest, TestCase

from bzpeer.lib.markup import render
from tests.works.files import DATA, read_bytes, read_file
from works.ingest import acl
from works.ingest.acl_venues import topics_of
from works.ingest.files import UnreadableFile, read_records
from works.ingest.records import NEVER, AffiliationRecord, AuthorRecord, Reject, VenueRecord, WorkRecord

ACL = DATA / "acl"


def collection(*papers: str, head: str = "", collection_id: str = "2031.fict") -> bytes:
    return (
        f'{head}<collection id="{collection_id}"><volume id="1"><meta><year>2031</year></meta>'
        f"{''.join(papers)}</volume></collection>"
    ).encode()


def paper(number: int = 1, inside: str = "") -> str:
    return f'<paper id="{number}"><title>A Title</title><author><first>Jo</first><last>Doe</last></author>{inside}</paper>'


class ReadPaperTests(TestCase):
    def setUp(self) -> None:
        self.items = read_file(acl, ACL / "2031.fict.xml")
        self.works: dict[str, Any] = {
            item.record_id: item for item in self.items if isinstance(item, WorkRecord)
        }

    def test_each_paper_is_one_record_or_one_reject_and_nothing_else_counts(self) -> None:
        self.assertEqual(
            [item.record_id if isinstance(item, WorkRecord) else item.reason for item in self.items],
            [
                "2031.fict-main.1",
                "2031.fict-main.2",
                "2031.fict-main.3",
                "2031.fict-main.4",
                "neither title nor authors",
                "no Anthology id can be made of its collection, volume and number",
                "2031.fict-2.1",
            ],
        )

    def test_the_facts_of_a_paper_are_read(self) -> None:
        work = self.works["2031.fict-main.1"]
        self.assertEqual(
            work.identifiers, (("acl", "2031.fict-main.1"), ("doi", "10.99999/v1/2031.fict-main.1"))
        )
        self.assertEqual(
            (work.type, work.publication_date, work.publication_year, work.language, work.is_oa),
            ("article", date(2031, 8, 1), 2031, "", True),
        )

    def test_the_anthologys_tags_become_html_and_tex_that_are_read_as_such(self) -> None:
        work = self.works["2031.fict-main.1"]
        self.assertEqual(work.title, r"A Bayesian Look at \(k\)-Means: <i>Not</i> R&D for AT&T")
        self.assertEqual(render(work.title).plain, "A Bayesian Look at k-Means: Not R&D for AT&T")
        self.assertEqual(
            work.abstract, r"We cost \(O(n^2)\), see https://example.org/x and <b>bold <i>words</i></b>."
        )
        self.assertIn("<math", render(work.abstract).html)

    def test_authors_stand_as_printed_with_ids_and_places_and_twice_where_printed_twice(self) -> None:
        first, second, *others = self.works["2031.fict-main.1"].authorships
        self.assertEqual(
            (first.raw_name, first.acl, first.orcid, first.raw_affiliations),
            ("Jo Doe", "jo-doe", "0000-0002-1825-0097", ("University of Nowhere",)),
        )
        self.assertEqual(
            (second.raw_name, second.variants, second.acl), ("Maosong Testname", ("张某某",), "")
        )
        self.assertEqual([other.raw_name for other in others], ["Mausam", "Single", "Jo Doe"])

    def test_editors_are_not_authors_and_chinese_names_begin_with_the_family(self) -> None:
        work = self.works["2031.fict-main.2"]
        self.assertEqual([author.raw_name for author in work.authorships], ["周国江"])
        self.assertEqual(work.language, "fr")

    def test_the_latest_day_that_the_paper_tells_of_is_when_it_was_seen(self) -> None:
        self.assertEqual(
            {key: work.observed_at for key, work in self.works.items()},
            {
                "2031.fict-main.1": datetime(2031, 12, 24, tzinfo=UTC),
                "2031.fict-main.2": datetime(2032, 2, 1, tzinfo=UTC),
                "2031.fict-main.3": datetime(2032, 3, 1, tzinfo=UTC),
                "2031.fict-main.4": datetime(2031, 7, 1, tzinfo=UTC),
                "2031.fict-2.1": datetime(2023, 7, 1, tzinfo=UTC),
            },
        )

    def test_a_retracted_paper_stays_and_a_removed_one_says_only_which_it_was(self) -> None:
        self.assertTrue(self.works["2031.fict-main.2"].is_retracted)
        removed = self.works["2031.fict-main.3"]
        self.assertEqual(
            (removed.withdrawn, removed.title, removed.authorships, removed.identifiers),
            (True, "", (), (("acl", "2031.fict-main.3"), ("doi", "10.99999/v1/2031.fict-main.3"))),
        )

    def test_back_matter_is_paratext(self) -> None:
        self.assertEqual(self.works["2031.fict-main.4"].type, "paratext")

    def test_a_venue_has_its_own_name_and_place_among_topics(self) -> None:
        work = self.works["2031.fict-main.1"]
        self.assertEqual(
            (work.source.display_name, work.source.acl, work.source.type),
            ("SIGDial Conference", "sigdial", "conference"),
        )
        self.assertEqual([topic.value for topic in work.topics], ["T10181", "T12031"])
        self.assertTrue(all(topic.score < 1 and not topic.is_primary for topic in work.topics))

    def test_an_unknown_venue_goes_by_its_id_and_impossible_dates_by_none(self) -> None:
        work = self.works["2031.fict-2.1"]
        self.assertEqual(
            (work.source.display_name, work.source.acl, work.source.type), ("JFICT", "jfict", "journal")
        )
        self.assertEqual((work.publication_year, work.publication_date), (None, None))
        self.assertEqual([topic.value for topic in work.topics], ["T10181"])

    def test_every_topic_has_its_line_up_to_the_domain(self) -> None:
        for topic in topics_of(
            ["bionlp", "sigmorphon", "fever", "sdp", "alvr", "nlp4musa", "tsar", "wassa", "ldl"]
        ):
            self.assertEqual(
                [value.split("/")[0] for value, _ in topic.lineage], ["subfields", "fields", "domains"]
            )


class IdTests(TestCase):
    def test_ids_follow_the_anthologys_rules(self) -> None:
        for parts, expected in {
            ("P19", "1", "1"): "P19-1001",
            ("W19", "5", "12"): "W19-0512",
            ("C69", "1", "1"): "C69-0101",
            ("D19", "1", "7"): "D19-1007",
            ("D19", "50", "7"): "D19-5007",
            ("2020.acl", "main", "12"): "2020.acl-main.12",
            ("2020.acl", "main", "012"): "2020.acl-main.12",
            ("P19", "main", "1"): "",
            ("P19", "1", "١"): "",
            ("", "1", "1"): "",
            ("2020.acl", "", "1"): "",
            ("2020.acl", "../../x", "1"): "",
            ("2020.acl", "main", "9" * 5000): "",
        }.items():
            self.assertEqual(acl.anthology_id(*parts), expected)

    def test_volumes_without_venue_go_by_their_collection_and_workshops_by_their_own_title(self) -> None:
        conference, workshop = read_file(acl, ACL / "D19.xml")
        self.assertEqual(
            (conference.record_id, conference.source.acl, conference.publication_date),
            ("D19-1001", "emnlp", date(2019, 11, 1)),
        )
        self.assertEqual(
            (workshop.record_id, workshop.source.acl, workshop.source.display_name),
            ("D19-5001", "", "Proceedings of an Invented Workshop"),
        )


class NewerStateTests(TestCase):
    """The ingest date of a volume never changes, so the form in which it is written has to tell."""

    def read(self, text: str) -> WorkRecord:
        work, _ = read_bytes(acl, text.encode())
        assert isinstance(work, WorkRecord)
        return work

    def test_a_later_state_outranks_a_fuller_earlier_one(self) -> None:
        early = (ACL / "D19.xml").read_text(encoding="utf-8")
        # Corrected: an author taken away, which makes the later record the poorer one.
        corrected = early.replace("<author><first>Ann</first><last>Other</last></author>", "")
        states = [
            early,
            corrected.replace("</meta>", "<venue>emnlp</venue></meta>"),
            corrected.replace("</meta>", "<venue>emnlp</venue></meta>").replace(
                "2019-11-03", '2019-11-03" type="proceedings'
            ),
            corrected.replace("</meta>", "<venue>emnlp</venue></meta>")
            .replace("2019-11-03", '2019-11-03" type="proceedings')
            .replace("<author>", '<author orcid="0000-0002-1825-0097">'),
        ]
        works = [self.read(state) for state in states]
        self.assertEqual(works, sorted(works, key=lambda work: work.rank))
        self.assertEqual(
            [work.observed_at.date().isoformat() for work in works],
            ["2019-11-03", "2022-11-11", "2023-07-01", "2025-07-18"],
        )


class YamlTests(TestCase):
    def test_people_have_an_id_names_and_the_places_that_are_told(self) -> None:
        items = read_file(acl, ACL / "name_variants.yaml")
        jo, elsewhere, sean, ono, null, *rejects = items
        self.assertEqual(
            jo,
            AuthorRecord(
                provider="acl",
                record_id="jo-doe",
                identifiers=(("acl", "jo-doe"), ("orcid", "0000-0002-1825-0097")),
                display_name="Jo Doe",
                names=("Joanna Doe", "J. Doe"),
                affiliations=(
                    AffiliationRecord(raw="University of Nowhere"),
                    AffiliationRecord(raw="Invented University"),
                ),
            ),
        )
        self.assertEqual([p.record_id for p in (elsewhere, sean)], ["jo-doe-Elsewhere", "sean-a-b-otestname"])
        self.assertEqual((sean.display_name, sean.names), ("Séan A.B. O’Testname", ("O’Testname",)))
        self.assertEqual([ono.display_name, null.display_name], ["Ono No", "Null"])
        self.assertEqual(
            [reject.reason for reject in rejects],
            [
                "a second person of one id",
                "a person without a name",
                "neither a person nor a venue of the Anthology",
            ],
        )

    def test_the_list_of_people_that_followed_is_read_as_well(self) -> None:
        jo, ann = read_file(acl, ACL / "people.yaml")
        self.assertEqual((jo.record_id, jo.display_name, jo.names), ("jo-doe", "Jo Doe", ("张某某",)))
        self.assertEqual((ann.record_id, ann.identifiers), ("ann-other", (("acl", "ann-other"),)))

    def test_a_venue_takes_its_id_from_its_file(self) -> None:
        [venue] = read_file(acl, ACL / "venues" / "fict.yaml")
        self.assertEqual(
            venue,
            VenueRecord(
                provider="acl",
                record_id="fict",
                identifiers=(("acl", "fict"),),
                display_name="Fictitious Conference on Names",
                names=("FICT",),
                type="journal",
            ),
        )
        [shelf] = read_bytes(acl, b"acronym: WS\nname: Other Workshops and Events\n", "ws.yaml")
        self.assertIn("no venue itself", shelf.reason)

    def test_other_yaml_of_the_anthology_is_a_reject_and_no_failure(self) -> None:
        [item] = read_bytes(
            acl, b"Name: SIGFICT\nMeetings:\n  - 2031:\n    - 2031.fict-main\n", "sigfict.yaml"
        )
        self.assertEqual(item, Reject("neither a person nor a venue of the Anthology", "sigfict"))

    def test_what_is_used_against_readers_of_yaml_is_refused(self) -> None:
        for content in (
            b"- canonical: &a {first: Jo, last: Doe}\n  variants: [*a, *a]\n",
            b"- canonical: " + b"[" * 300,
            b"- " + b"[" * 1_000_000,
            b"- canonical: {first: Jo\x00, last: Doe}\n",
            b'- canonical: {first: "\\ud800", last: Doe}\n',
            b"- canonical: {first: \xff, last: Doe}\n",
            b"# nothing\n",
            b'{"items": [1, 2]}',
            b"just text",
            b"a,b\n1,2\n",
        ):
            with self.assertRaisesRegex(UnreadableFile, r"^people\.yaml: (neither XML nor|damaged) YAML"):
                read_bytes(acl, content, "people.yaml")

    def test_tags_of_python_make_nothing_but_text(self) -> None:
        [item] = read_bytes(acl, b"- canonical: {first: !!python/name:os.system Jo, last: Doe}\n")
        self.assertEqual(item.display_name, "Jo Doe")

    def test_damaged_yaml_gives_what_came_before(self) -> None:
        items: list[Any] = []
        with self.assertRaisesRegex(UnreadableFile, "damaged YAML"):
            for item in acl.read_stream(
                io.BytesIO(b"- canonical: {first: Jo, last: Doe}\n- {first"), "n.yaml"
            ):
                items.append(item)
        self.assertEqual([item.record_id for item in items], ["jo-doe"])


class HostileFileTests(TestCase):
    def refused(self, content: bytes, sentence: str, kept: int = 0) -> None:
        items = []
        with self.assertRaisesRegex(UnreadableFile, sentence) as caught:
            for item in acl.read_stream(io.BytesIO(content), "x.xml"):
                items.append(item)
        self.assertEqual(len(items), kept)
        self.assertRegex(str(caught.exception), r"^x\.xml: .*\.$")

    def test_a_cut_off_file_gives_the_papers_before_the_cut(self) -> None:
        whole = collection(paper(1), paper(2), paper(3))
        self.refused(whole[: whole.index(b'<paper id="3"') + 30], "damaged or cut off", kept=2)

    def test_a_damaged_file_gives_the_papers_before_the_damage(self) -> None:
        for damage in ("<b>", "&nbsp;", "\x01", "&#xD800;", "&#0;", "<a b=1/>"):
            self.refused(collection(paper(1), paper(2, damage), paper(3)), "damaged or cut off", kept=1)
        nul = collection(paper(1), paper(2, "NUL"), paper(3)).replace(b"NUL", b"\x00")
        self.refused(nul, "damaged or cut off", kept=1)

    def test_bytes_that_are_not_utf_8_are_damage(self) -> None:
        self.refused(
            collection(paper(1), paper(2, "?")).replace(b"?", b"\xe9\xff"), "damaged or cut off", kept=1
        )

    def test_bombs_and_external_entities_are_refused(self) -> None:
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
        for declared, used in (
            (laughs, "&l9;"),
            ('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
            ('<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;', ""),
        ):
            head = f"<!DOCTYPE collection [{declared}]>"
            self.refused(
                collection(paper(1, f"<abstract>{used}</abstract>"), head=head), "document type.*refused"
            )
        self.refused(
            collection(paper(1), head='<!DOCTYPE collection SYSTEM "http://127.0.0.1:9/x.dtd">'),
            "document type",
        )

    def test_files_of_others_are_told_apart(self) -> None:
        dblp = (DATA / "dblp" / "cacm.xml").read_bytes()
        for content, sentence in {
            dblp: "not a collection of the ACL Anthology; its outermost element is <dblp>",
            b"<html><body><p>Not found<br></body></html>": "its outermost element is <html>",
            b"<!DOCTYPE html><html><head></head></html>": "its outermost element is <html>",
            b'{"results": []}': "neither XML nor YAML",
            b"": "the file is empty",
            b" \n\t ": "the file is empty",
            b"\xef\xbb\xbf": "the file is empty",
            b"<": "nor XML at all",
            b"<!-- " + b"x" * 100_000: "nor XML at all",
            "<?xml version='1.0' encoding='utf-16'?><collection/>".encode("utf-16"): "neither XML nor YAML",
            b"%PDF-1.7 \x00\xff": "neither XML nor YAML",
        }.items():
            self.refused(content, sentence)

    def test_elements_in_elements_without_end_are_refused(self) -> None:
        self.refused(collection(paper(1), paper(2, "<b>" * 300 + "</b>" * 300)), "damaged or cut off", kept=1)

    def test_much_xml_without_a_record_is_refused(self) -> None:
        self.refused(collection("<x>" + "y" * 60_000 + "</x>" + "<x/>" * 2_000_000), "without a record")

    def test_papers_in_odd_places_and_empty_ones_are_rejects(self) -> None:
        items = read_bytes(
            acl,
            b'<collection id="2031.fict"><paper id="1"><title>A</title></paper><meta/>'
            b'<volume id="1"><paper id="1"/><paper><title>A</title></paper></volume>'
            b'<volume><paper id="1"><title>A</title></paper></volume></collection>',
        )
        self.assertEqual([type(item) for item in items], [Reject] * 4)

    def test_odd_values_cost_themselves_only(self) -> None:
        odd = (
            '<author id="../../etc" orcid="0000-0000-0000-0000"><first>\u202eJo\u200b</first><last>D\u0085oe</last></author>'
            "<author><first> </first><last>\u3164</last></author>"
            f"<author><last>{'x' * 5000}</last></author>"
            '<revision date="0000-00-00"/><revision date="2031-13-45"/><revision date="9999-01-01"/><doi>none</doi>'
            "<language>klingon</language>"
        )
        [work] = read_bytes(acl, collection(paper(1, odd)))
        self.assertEqual([a.raw_name for a in work.authorships], ["Jo Doe", "Jo D oe", "x" * 255])
        self.assertEqual((work.authorships[1].acl, work.authorships[1].orcid), ("", ""))
        self.assertEqual(
            (work.observed_at, work.identifiers, work.language), (NEVER, (("acl", "2031.fict-1.1"),), "")
        )

    def test_bytes_changed_at_random_bring_records_rejects_or_a_sentence(self) -> None:
        chance = Random(7)
        for name in ("2031.fict.xml", "name_variants.yaml"):
            whole = (ACL / name).read_bytes()
            for _ in range(300):
                content = bytearray(whole)
                for _ in range(3):
                    start = chance.randrange(len(content))
                    content[start : start + chance.randrange(20)] = chance.randbytes(chance.randrange(4))
                with suppress(UnreadableFile):
                    for item in acl.read_stream(io.BytesIO(bytes(content)), name):
                        self.assertNotIn("\\x00", repr(item))

    def test_months_are_read_in_every_spelling_seen(self) -> None:
        for text, month in {
            "August 26-30": 8, "12-13 April": 4, "sEPTEMBER": 9, "Septemer": 9, "6": 6, "29 October--3 November": 10,
            "0": None, "13": None, "": None, "Summer": None, "١": None,
        }.items():  # fmt: skip
            content = collection(paper(1)).replace(b"<year>", f"<month>{text}</month><year>".encode())
            [work] = read_bytes(acl, content)
            self.assertEqual(work.publication_date, date(2031, month, 1) if month else None)


class RealFilesTests(TestCase):
    """Every real file a developer has: DATA=path names a folder with acl/ in it."""

    def setUp(self) -> None:
        if not os.environ.get("DATA"):
            raise SkipTest("reads further real files where DATA=path names a folder of them")
        self.folder = Path(os.environ["DATA"]) / "acl"

    def works(self, path: Path) -> dict[str, WorkRecord]:
        items = list(read_records(acl, path))
        self.assertEqual([item for item in items if isinstance(item, Reject)], [])
        works = {item.record_id: item for item in items if isinstance(item, WorkRecord)}
        self.assertEqual(len(works), len(items))
        return works

    def test_every_paper_is_read(self) -> None:
        paths = sorted((self.folder / "xml").glob("*.xml.gz"))
        self.assertTrue(paths)
        for path in paths:
            with self.subTest(path.name):
                for work in self.works(path).values():
                    self.assertTrue(work.withdrawn or (work.title and work.publication_year and work.source))

    def test_later_states_of_a_volume_stand_above_earlier_ones(self) -> None:
        paths = sorted((self.folder / "xml-2022-05-16").glob("*.xml.gz"))
        self.assertTrue(paths)
        for path in paths:
            early, late = self.works(path), self.works(self.folder / "xml" / path.name)
            self.assertLessEqual(early.keys(), late.keys())
            self.assertEqual([key for key in early if early[key].rank >= late[key].rank], [])

    def test_people_and_venues_are_read(self) -> None:
        people = list(read_records(acl, self.folder / "yaml" / "name_variants.yaml.gz"))
        self.assertEqual({type(item) for item in people}, {AuthorRecord})
        venues = list(read_records(acl, self.folder / "yaml" / "venues.tar.gz"))
        self.assertEqual([item.snippet for item in venues if isinstance(item, Reject)], ["ws"])
