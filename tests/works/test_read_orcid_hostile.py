import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any
from unittest import TestCase

from hypothesis import given, settings

from tests.works.changed_documents import damaged, mutated
from tests.works.orcid_records import CARBERRY, ORCID, client, external, group, person, read, record, version
from works.ingest import orcid
from works.ingest.files import UnreadableFile
from works.ingest.records import AuthorRecord, Reject, WorkRecord, decode, encode

DOCUMENTS = [
    json.loads(gzip.decompress(data) if data.startswith(b"\x1f") else data)
    for data in (path.read_bytes() for path in sorted(ORCID.glob("*/*.json*")))
] + [
    record(
        [group(version(1, external("doi", "10.5555/1"), source=client("Crossref")))],
        employments={"affiliation-group": [{"summaries": [{"employment-summary": {"organization": {"name": "x"}}}]}]},
        peer_reviews={"group": [{"peer-review-group": [{"peer-review-summary": [{"source": client("x")}]}]}]},
    )
]  # fmt: skip
XML = gzip.decompress((ORCID / "summaries/0000-0003-4231-1897.xml.gz").read_bytes())


class HostileTests(TestCase):
    def check(self, items: list[Any]) -> None:
        for item in items:
            if isinstance(item, Reject):
                self.assertTrue(item.reason)
                (item.reason + item.snippet).encode()
            else:
                self.assertEqual(
                    decode(encode(item), "author" if isinstance(item, AuthorRecord) else "work"), item
                )
                self.assertNotIn(b"\\u0000", encode(item))

    @settings(max_examples=500, deadline=None)
    @given(mutated(DOCUMENTS))
    def test_no_value_anywhere_makes_it_fall(self, document: Any) -> None:
        if isinstance(document, dict):
            self.check(read(document))

    @settings(max_examples=500, deadline=None)
    @given(damaged(XML, [b"<", b">", b"&x;", b"&#0;", b"<!DOCTYPE x>", b"]]>", b"<work:work/>", b"</a>"]))
    def test_no_bytes_anywhere_make_xml_fall(self, data: bytes) -> None:
        try:
            self.check(read(data))
        except UnreadableFile as error:
            self.assertTrue(str(error).startswith("record: "))

    @settings(max_examples=300, deadline=None)
    @given(damaged(json.dumps(DOCUMENTS[-1]).encode(), [b"{", b"]", b'"', b"\\", b"\\ud800", b"null"]))
    def test_no_bytes_anywhere_make_json_fall(self, data: bytes) -> None:
        try:
            self.check(read(data))
        except UnreadableFile as error:
            self.assertTrue(str(error).startswith("record: "))

    def test_xml_that_is_cut_off_gives_its_whole_works_and_a_reject(self) -> None:
        whole = gzip.decompress((ORCID / "summaries/0000-0003-0109-6000.xml.gz").read_bytes())
        first, *works = read(whole[: len(whole) * 3 // 4])
        self.assertTrue(first.reason.startswith("record: damaged or cut off (Premature end"), first)
        self.assertGreater(len(works), 3)
        self.assertEqual({type(work) for work in works}, {WorkRecord})

    def test_json_that_is_cut_off_is_refused(self) -> None:
        with self.assertRaisesRegex(UnreadableFile, "damaged or cut off"):
            read(json.dumps(record())[:-5])

    def test_a_broken_work_costs_itself(self) -> None:
        text = json.dumps(record([group(version(n)) for n in range(1, 4)]))
        author, one, other, reject = read(text.encode().replace(b"On Pottery", b"On \xff", 1))
        self.assertEqual([work.record_id for work in (one, other)], [f"{CARBERRY}/2", f"{CARBERRY}/3"])
        self.assertTrue(reject.reason.startswith("group: not JSON"), reject)
        self.assertEqual(author.display_name, "Josiah Carberry")

    def test_a_record_that_is_no_json_costs_itself(self) -> None:
        good = json.dumps(record())
        items = read("\n".join([good, good.replace('"history": {', '"history": {nope'), good]))
        self.assertEqual([type(item) for item in items], [AuthorRecord, Reject, AuthorRecord])
        self.assertTrue(items[1].reason.startswith("not as ORCID describes a record: JSON is malformed"))
        self.assertEqual([type(item) for item in read(good.replace("Josiah", "\\ud800"))], [Reject])

    def test_documents_with_a_type_are_refused_before_anything_is_resolved(self) -> None:
        secret = Path(__file__).as_uri()
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
        name = '<person xmlns="http://www.orcid.org/ns/person" path="/0000-0002-1825-0097/person"><name><credit-name>&x;</credit-name></name></person>'
        for declared in (
            f'<!DOCTYPE person [<!ENTITY x SYSTEM "{secret}">]>',
            f'<!DOCTYPE person SYSTEM "{secret}">',
            '<!DOCTYPE person [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>',
            '<!DOCTYPE person [<!ENTITY l0 "lol">' + laughs + '<!ENTITY x "&l9;">]>',
            "<!DOCTYPE person>",
        ):
            with self.subTest(declared[:50]):
                [item] = read(declared + name)
                self.assertEqual(
                    item.reason, "declares a document type, which ORCID's records never do; refused"
                )
                [item] = read(f"<!--{'x' * 100_000}-->{declared}{name}")
                self.assertEqual(item.reason, "no element at its beginning")

    def test_an_entity_that_nobody_declares_is_damage_and_not_the_end(self) -> None:
        for entity in (b"&uuml;", b"&#0;", b"& "):
            whole = XML.replace(b"</activities:works>", entity + b"</activities:works>")
            first, *works = read(whole)
            self.assertTrue(first.reason.startswith("record: damaged or cut off"), first)
            self.assertEqual(len(works), 8)

    def test_what_is_not_orcids_is_a_reject(self) -> None:
        for data in ("<rss/>", '{"id": 1}', "[5]", "[[]]"):
            with self.subTest(data):
                [item] = read(data)
                self.assertIn(
                    item.reason[:30],
                    {"no record, person or work of ORCID"[:30], "not as ORCID describes a record"[:30]},
                )

    def test_other_formats_are_refused_in_a_sentence(self) -> None:
        for data, sentence in (
            (b"", "the file is empty"),
            (b" \n", "the file is empty"),
            (b"<!DOCTYPE html><html><body>502</body></html>", "a web page"),
            (b"\n<HTML><br></HTML>", "a web page"),
            (b"\x89PNG", "neither JSON nor XML"),
            (b"orcid,name\n", "neither JSON nor XML"),
        ):
            with self.assertRaisesRegex(UnreadableFile, f"^record: {sentence}"):
                read(data)

    def test_deep_nesting_is_a_reject(self) -> None:
        deep = json.dumps(record()).replace(
            '"credit-name": null', '"credit-name": ' + "[" * 5000 + "]" * 5000
        )
        self.assertEqual([type(item) for item in read(deep)], [Reject])
        nested = json.dumps(record([group(version(1))])).replace(
            '"title": {', '"title": ' + '{"a": ' * 700 + "{", 1
        )
        nested = nested.replace('"translated-title": null}', '"translated-title": null}' + "}" * 700, 1)
        self.check(read(nested))
        xml = '<person xmlns="http://www.orcid.org/ns/person">' + "<a>" * 5000 + "</a>" * 5000 + "</person>"
        self.assertRegex(read(xml)[0].reason, "^record: damaged or cut off .*depth")

    def test_names_and_titles_lose_what_must_not_be_stored(self) -> None:
        name = {
            "given-names": {"value": "Jo\u0000si\u202eah"},
            "family-name": {"value": "Car\u200bberry" * 50},
        }
        author, work = read(record([group(version(1, title="On\u0000 Pottery"))], person=person(name=name)))
        self.assertTrue(author.display_name.startswith("Josiah Carberry"))
        self.assertEqual((len(author.display_name), work.title), (255, "On Pottery"))

    def test_a_text_of_50_mb_is_a_reject(self) -> None:
        [author, item] = read(json.dumps(record([group(version(1, title="x" * 50_000_000))])))
        self.assertEqual((author.display_name, len(item.title)), ("Josiah Carberry", 200_000))
        xml = f'<person xmlns="http://www.orcid.org/ns/person" path="/{CARBERRY}/person"><name><credit-name>{"x" * 50_000_000}</credit-name></name></person>'
        [item] = read(xml)
        self.assertIsInstance(item, Reject)

    def test_more_works_than_a_record_may_have_are_counted(self) -> None:
        small = json.dumps(group(version(1)))
        text = json.dumps(record(["@"])).replace('"@"', ", ".join([small] * (orcid.MAX_WORKS + 3)))
        items = read(text)
        self.assertEqual(len(items), 1 + orcid.MAX_WORKS + 1)
        self.assertEqual(items[-1].reason, f"3 works beyond the {orcid.MAX_WORKS} that one record may have")

    def test_xml_is_not_held_whole(self) -> None:
        filler = "<other>" + "<a>" + "x" * 1000 + "</a>" * 1 + "</other>"
        begin = f'<r:record xmlns:r="http://www.orcid.org/ns/record" path="/{CARBERRY}">'
        part = (
            "<activities-summary><fundings><group>"
            + filler
            + "<funding-summary/></group></fundings></activities-summary>"
        )
        document = (begin + part * 8000 + "</r:record>").encode()
        tracemalloc.start()
        items = read(document)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.assertEqual([item.reason for item in items], ["a record that shows no name to everybody"])
        self.assertLess(peak, 4_000_000)
