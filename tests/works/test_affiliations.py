"""The organisations are ROR's (CC0), the strings made up in the ways in which authors write them."""

import gzip
import json
import os
import random
import tempfile
from pathlib import Path
from unittest import SkipTest, TestCase

from hypothesis import given
from hypothesis import strategies as st

from works.affiliations import Known, Matcher
from works.affiliations.words import MOST_CHARACTERS, read, split_words
from works.evaluation import affiliations as evaluation
from works.ingest.files import UnreadableFile
from works.ingest.records import InstitutionRecord

ORGANISATIONS = (
    Known(1, ("Lund University", "Lunds universitet"), (), "SE", "Lund"),
    Known(2, ("University of Tübingen", "Eberhard Karls Universität Tübingen"), (), "DE", "Tübingen"),
    Known(3, ("Technical University of Munich", "Technische Universität München"), ("TUM",), "DE", "Munich"),
    Known(4, ("Ludwig-Maximilians-Universität München", "University of Munich"), ("LMU",), "DE", "Munich"),
    Known(5, ("University of California, Davis",), ("UCD",), "US", "Davis"),
    Known(6, ("University of California System", "University of California"), ("UC",), "US", "Oakland"),
    Known(7, ("Washington University in St. Louis",), ("WUSTL",), "US", "St Louis"),
    Known(8, ("University of Washington",), ("UW",), "US", "Seattle"),
    Known(9, ("Boston Children's Hospital",), (), "US", "Boston"),
    Known(10, ("Harvard University",), (), "US", "Cambridge"),
    Known(11, ("Northeastern University",), ("NEU",), "US", "Boston"),
    Known(12, ("Northeastern University", "东北大学"), ("NEU",), "CN", "Shenyang"),
    Known(13, ("Chinese Academy of Sciences",), ("CAS",), "CN", "Beijing"),
    Known(14, ("Institute of Physics",), (), "CN", "Beijing"),
    Known(15, ("Wuhan University",), ("WHU",), "CN", "Wuhan"),
    Known(16, ("Pfizer (United States)",), (), "US", "New York"),
    Known(17, ("Pfizer (Canada)",), (), "CA", "Montreal"),
    Known(18, ("Universidade Federal do Ceará",), ("UFC",), "BR", "Fortaleza"),
    Known(19, ("KTH Royal Institute of Technology",), ("KTH",), "SE", "Stockholm"),
    Known(20, ("Université de Toulouse",), (), "FR", "Toulouse"),
    Known(21, ("CHRR at The Ohio State University", "Ohio State University"), ("CHRR",), "US", "Columbus"),
    Known(22, ("Sheffield Teaching Hospitals NHS Foundation Trust",), (), "GB", "Sheffield"),
    Known(23, ("Moscow State University",), ("MSU",), "RU", "Moscow"),
    Known(24, ("University of Idaho",), (), "US", "Moscow"),
    Known(25, ("Fırat University", "Fırat Üniversitesi"), (), "TR", "Elâzığ"),
    Known(26, ("Nanchang University",), (), "CN", "Nanchang"),
    Known(27, ("Centre National de la Recherche Scientifique",), ("CNRS",), "FR", "Paris"),
    Known(28, ("University of London",), (), "GB", "London"),
    Known(29, ("Texas A&M University",), (), "US", "College Station"),
    # Two withdrawn records that 2 took over answer with its key.
    Known(2, ("Tübingen Old School of Forestry",), (), "DE", "Tübingen"),
)
MATCHER = Matcher(ORGANISATIONS)


class MatcherTests(TestCase):
    def found(self, text: str) -> list[int]:
        return [match.key for match in MATCHER.find(text)]

    def check(self, *cases: tuple[str, list[int]]) -> None:
        for text, keys in cases:
            with self.subTest(ascii(text)):
                self.assertEqual(self.found(text), keys)


class NameTests(MatcherTests):
    def test_a_name_among_departments_and_places(self) -> None:
        self.check(
            ("Lund University", [1]),
            ("Department of Physics, Lund University, Box 118, SE-221 00 Lund, Sweden", [1]),
            ("Division of Oncology Department of Translational Medicine Lund University Malmö Sweden", [1]),
            ("1 Student, Faculty of Law, Lund University.", [1]),
            ("From the Department of Neurology (A.K., B.C.-D.), Lund University, Lund, Sweden", [1]),
        )

    def test_spellings_languages_abbreviations_and_lost_spaces(self) -> None:
        self.check(
            ("Univ. Tübingen, Germany", [2]),
            ("UNIVERSITY OF TUBINGEN, GERMANY", [2]),
            ("University of Tuebingen, Germany", [2]),
            ("Universität T&#252;bingen", [2]),
            ("Institut f&#xFC;r Physik, Université de Tübingen, Allemagne", [2]),
            ("Department of Computer EngineeringLund UniversityLundSweden", [1]),
            ("Lund\nUniversity,\tLund", [1]),
            ("FIRAT ÜNİVERSİTESİ TIP FAKÜLTESİ", [25]),
            ("Texas A &amp; M Univ., College Station, TX 77843", [29]),
            ("Royal Institute of Technology, Stockholm, Sweden", [19]),
            ("Sheffield Teaching Hospitals, Sheffield, UK", [22]),
            ("东北大学, 沈阳, 中国", [12]),
        )

    def test_another_order_of_words_needs_the_city(self) -> None:
        self.check(
            ("Children's Hospital, Boston, Boston, MA", [9]),
            ("Children’s Hospital Boston, Boston, Massachusetts, USA", [9]),
            ("Washington University, Tacoma, WA, USA", []),
        )

    def test_several_organisations_in_the_order_of_the_text(self) -> None:
        self.check(
            ("Harvard University, Cambridge, MA, USA; Lund University, Lund, Sweden", [10, 1]),
            ("Lund University and University of Tübingen", [1, 2]),
            ("Lund University, Sweden, Lund University, Sweden", [1]),
        )

    def test_a_school_stands_for_its_university(self) -> None:
        self.check(
            ("Harvard Medical School, Boston, MA", [10]),
            ("Harvard School of Public Health", [10]),
            ("Harvard, Massachusetts", []),
        )

    def test_an_answer_says_why(self) -> None:
        [match] = MATCHER.find("Dept. of Physics, Lund University, Lund, Sweden")
        self.assertEqual(match, (1, 1.0, "name “Lund University”, city, country"))
        [match] = MATCHER.find("Lund University")
        self.assertEqual(match, (1, 0.8, "name “Lund University”"))


class RefusalTests(MatcherTests):
    def test_a_part_of_a_longer_name_is_no_name(self) -> None:
        self.check(
            ("Technical University of Munich", [3]),
            ("University of Munich", [4]),
            ("Catholic University of Tübingen", []),
            ("Renmin Hospital of Wuhan University, Wuhan, China", []),
            ("Wuhan University Zhongnan Hospital, Wuhan, China", []),
            ("Nanchang Hangkong University, Nanchang, China", []),
            ("Nanchang University of Technology", []),
            ("German Sport University Lund", []),
            ("Columbia University, Washington", []),
            ("Lund University-Helsingborg", []),
        )

    def test_the_country_must_not_contradict(self) -> None:
        self.check(
            ("Wuhan University, Ontario, Canada", []),
            ("Lund University, D-72076 Lund", []),
            ("Northeastern University, Boston, MA, USA", [11]),
            ("Northeastern University, Shenyang, PR China", [12]),
            ("University of Idaho, Moscow, Idaho 83844, USA", [24]),
            ("Moscow State University, Moscow", [23]),
        )

    def test_what_two_could_be_is_neither(self) -> None:
        self.check(("Northeastern University", []), ("Department of Law, Northeastern University", []))

    def test_a_campus_is_told_from_its_sisters(self) -> None:
        self.check(
            ("Department of Botany, University of California, Davis, CA 95616, USA", [5]),
            ("University of California at Davis", [5]),
            ("University of California School of Medicine, Davis, CA, USA", [5]),
            ("University of California, Merced, CA, USA", []),
            ("University of California Merced", []),
            ("University of California, USA", [6]),
            ("Washington University School of Medicine, St. Louis, MO, USA", [7]),
            ("Washington University School of Medicine, USA", []),
            ("University of Washington, Seattle", [8]),
        )

    def test_a_common_name_needs_its_city_and_gives_way_to_what_it_is_part_of(self) -> None:
        self.check(
            ("Institute of Physics, Beijing, China", [14]),
            ("Institute of Physics", []),
            ("Institute of Physics, Xi'an, China", []),
            ("Institute of Physics, Wuhan University, Wuhan, China", [15]),
            ("Institute of Physics, Chinese Academy of Sciences, Beijing 100190, China", [13]),
            ("Centre National de la Recherche Scientifique, Grenoble, France", [27]),
        )

    def test_an_acronym_needs_city_and_country_and_capitals(self) -> None:
        self.check(
            ("Laboratoire X, CNRS, Paris, France", [27]),
            ("CNRS, Marseille, France", []),
            ("cnrs, Paris, France", []),
            ("CNRS", []),
            ("UFC, Brazil", []),
        )

    def test_a_company_is_told_by_the_country_where_several_bear_its_name(self) -> None:
        self.check(
            ("Pfizer Inc., Groton, Connecticut 06340, USA", [16]),
            ("Pfizer, Kirkland, Quebec, Canada", [17]),
            ("Pfizer", []),
            ("Pfizer, Sandwich, UK", []),
        )

    def test_the_name_of_a_parent_is_not_its_unit(self) -> None:
        self.check(("The Ohio State University, Columbus, OH, USA", []))

    def test_places_and_departments_alone_name_nobody(self) -> None:
        self.check(
            ("Boston", []),
            ("St. Louis, MO 63110, USA", []),
            ("Department of Physics", []),
            ("London", []),
            ("Professor of Law, retired", []),
        )

    def test_who_asks_for_a_withdrawn_record_gets_its_successor_once(self) -> None:
        self.check(("Tübingen Old School of Forestry, University of Tübingen, Germany", [2]))


class InputTests(TestCase):
    def test_nothing_and_rubbish_find_nothing(self) -> None:
        for text in (
            "",
            " ",
            "\x00",
            "\ud800",
            "((((((((",
            "a:1:{s:5:",
            "&#0;&#xD800;",
            "1" * 50_000,
            "@",
            "-" * 9_999,
        ):
            with self.subTest(ascii(text[:20])):
                self.assertEqual(MATCHER.find(text), [])

    def test_what_cannot_be_seen_does_not_matter(self) -> None:
        self.assertEqual([m.key for m in MATCHER.find("L\u200bund\x00 Univer\u202esity, Sweden")], [1])

    def test_of_a_very_long_string_the_beginning_is_read(self) -> None:
        text = "Lund University, Sweden; " + "Paris, France, Wuhan University, " * 100_000
        keys = [match.key for match in MATCHER.find(text)]
        self.assertEqual(keys[0], 1)
        self.assertLessEqual(len(read(text)), MOST_CHARACTERS)

    @given(st.text(max_size=300))
    def test_any_text_can_be_read(self, text: str) -> None:
        for match in MATCHER.find(text):
            self.assertIn(match.key, range(1, 30))

    @given(
        st.lists(
            st.sampled_from([o.names[0] for o in ORGANISATIONS] + [", ", " of ", "(", ")", " Boston ", ";"])
        )
    )
    def test_any_mixture_of_names_can_be_read(self, parts: list[str]) -> None:
        keys = [match.key for match in MATCHER.find("".join(parts))]
        self.assertEqual(len(keys), len(set(keys)))

    def test_the_order_of_organisations_does_not_matter(self) -> None:
        shuffled = list(ORGANISATIONS)
        random.Random(5).shuffle(shuffled)
        texts = [name for known in ORGANISATIONS for name in known.names] + [
            "Northeastern University, Shenyang, China",
            "University of California, Davis",
            "Institute of Physics, Chinese Academy of Sciences, Beijing 100190, China",
        ]
        other = Matcher(shuffled)
        self.assertEqual([other.find(text) for text in texts], [MATCHER.find(text) for text in texts])

    def test_organisations_may_lack_everything(self) -> None:
        bare = Matcher(
            [Known(1, ()), Known(2, ("",)), Known(3, ("Lund University",)), Known(4, ("()",), ("",))]
        )
        self.assertEqual([match.key for match in bare.find("Lund University, Sweden")], [])
        self.assertEqual([match.key for match in bare.find("Lund University")], [3])
        self.assertEqual(Matcher([]).find("Lund University"), [])


class WordTests(TestCase):
    def test_words_and_what_parts_them(self) -> None:
        words = split_words(read("Dept. of Physics; Univ. of Illinois at Urbana–Champaign, U.S.A."))
        self.assertEqual(
            [(word.form, word.gap, word.link) for word in words],
            [
                ("department", 0, ""), ("physic", 0, "of"), ("university", 3, ""), ("illinois", 0, "of"),
                ("urbana", 0, "at"), ("champaign", 1, ""), ("usa", 2, ""),
            ],
        )  # fmt: skip


def record(ror: str, name: str, country: str, city: str, **fields: object) -> dict[str, object]:
    """Return an organisation in the shape of ROR's schema 2."""
    place = {"geonames_details": {"country_code": country, "name": city}}
    names = [{"value": name, "types": ["ror_display", "label"], "lang": "en"}]
    more = {
        "id": f"https://ror.org/{ror}",
        "names": names,
        "locations": [place],
        "status": "active",
        "types": [],
    }
    return more | fields


class EvaluationTests(TestCase):
    RECORDS = (
        record("012a77v79", "Lund University", "SE", "Lund"),
        record("03a1kwz48", "University of Tübingen", "DE", "Tübingen"),
        record("033vjfk17", "Wuhan University", "CN", "Wuhan"),
    )
    GOLD: tuple[tuple[str, list[str]], ...] = (
        ("Lund University, Lund, Sweden", ["012a77v79"]),
        ("Lund University and University of Tübingen", ["012a77v79", "03a1kwz48"]),
        ("Wuhan University; Technische Hochschule Nirgendwo", ["033vjfk17", "00zzzzz00"]),
        ("Univ Tubngen", ["03a1kwz48"]),
        ("Lund University, Lund, Sweden.", ["03a1kwz48"]),  # a mistake of gold counts as gold
        ("Somewhere else", ["00zzzzz00"]),
        ("Wuhan University, Wuhan, China", []),
        ("Retired", []),
    )

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        lines = [
            {"affiliation": text, "ror_ids": [f"https://ror.org/{r}" for r in ids]} for text, ids in self.GOLD
        ]
        self.gold = self.folder / "dataset_affiliations_test.json.gz"
        self.gold.write_bytes(gzip.compress(json.dumps(lines).encode()))
        (self.folder / "records.json").write_text(json.dumps(self.RECORDS))

    def test_gold_is_told_from_records_by_its_name(self) -> None:
        self.assertEqual(evaluation.gold_files(self.folder), [self.gold])
        records = evaluation.read_organisations([self.folder], but=self.gold)
        self.assertEqual(sorted(records), ["012a77v79", "033vjfk17", "03a1kwz48"])

    def test_strings_and_organisations_are_counted(self) -> None:
        figures = {f.name: f for f in evaluation.measure([self.folder], self.gold)}
        shares = {name.removeprefix("affiliations."): figure.value for name, figure in figures.items()}
        self.assertEqual(shares["organisations"], 3)
        self.assertEqual(shares["strings"], 8)
        self.assertEqual(shares["found"], 3 / 5)
        self.assertEqual(shares["found_some"], 3 / 5)
        self.assertEqual(shares["organisations_found"], 4 / 6)
        self.assertEqual(shares["right"], 4 / 5)
        self.assertEqual(shares["unknown_answered"], 1 / 3)
        self.assertEqual(shares["named_elsewhere_answered"], 0)
        self.assertEqual(shares["named_nowhere_answered"], 1 / 2)
        self.assertEqual(shares["held_out.strings"] + shares["tuned.strings"], 8)
        self.assertEqual(
            [figures[f"affiliations.{name}"].target for name in ("found", "right", "unknown_answered")],
            [">=0.80", ">=0.97", "<=0.03"],
        )

    def test_the_baseline_finds_exact_names(self) -> None:
        records = evaluation.read_organisations([self.folder], but=self.gold)
        answer = evaluation.exact_names(records)
        self.assertEqual(list(answer("Dept. of Law, LUND UNIVERSITY; Sweden")), ["012a77v79"])
        self.assertEqual(list(answer("Lund University Sweden")), [])

    def test_a_withdrawn_organisation_answers_with_its_successor(self) -> None:
        successor = {"type": "successor", "label": "Lund University", "id": "https://ror.org/012a77v79"}
        gone = record(
            "00abcde12", "Lund Old Academy", "SE", "Lund", status="withdrawn", relationships=[successor]
        )
        lone = record("00abcde23", "Lund New Academy", "SE", "Lund", status="withdrawn")
        (self.folder / "more.json").write_text(json.dumps([gone, lone]))
        records = evaluation.read_organisations([self.folder], but=self.gold)
        known = list(evaluation.known_organisations(records))
        ids = list(records)
        self.assertEqual(
            sorted((known.names[0], ids[known.key]) for known in known)[:2],
            [("Lund Old Academy", "012a77v79"), ("Lund University", "012a77v79")],
        )
        self.assertNotIn("Lund New Academy", [one.names[0] for one in known])
        lines = [evaluation.Gold("Lund Old Academy", ["https://ror.org/00abcde12"])]
        score = evaluation.score(lines, records, lambda text: ["012a77v79"])
        self.assertEqual((score.found, score.right, score.answers), (1, 1, 1))

    def test_a_file_that_holds_no_gold_is_refused_with_a_sentence(self) -> None:
        for content in (
            b"",
            b"[1]",
            b'{"affiliation": "x"}',
            b'[{"affiliation": 1, "ror_ids": []}]',
            b"\xff\xfe[",
        ):
            with self.subTest(content):
                self.gold.write_bytes(gzip.compress(content))
                with self.assertRaisesRegex(UnreadableFile, "dataset_affiliations_test"):
                    evaluation.read_gold(self.gold)

    def test_of_two_versions_of_a_record_the_newer_counts(self) -> None:
        newer = record("012a77v79", "Lund University of Tomorrow", "SE", "Lund",
                       admin={"last_modified": {"date": "2026-01-01"}})  # fmt: skip
        (self.folder / "another.json").write_text(json.dumps([newer]))
        records = evaluation.read_organisations([self.folder], but=self.gold)
        self.assertIsInstance(records["012a77v79"], InstitutionRecord)
        self.assertEqual(records["012a77v79"].display_name, "Lund University of Tomorrow")


class MoreFilesTests(TestCase):
    def test_all_strings_of_a_folder_reach_the_bars(self) -> None:
        if not os.environ.get("DATA"):
            raise SkipTest("reads further real files where DATA=path names a folder of them")
        folder = Path(os.environ["DATA"]) / "ror"
        for gold in evaluation.gold_files(folder):
            figures = {f.name: f.value for f in evaluation.measure([folder], gold)}
            self.assertGreaterEqual(figures["affiliations.found"], 0.80)
            self.assertGreaterEqual(figures["affiliations.right"], 0.97)
            self.assertLessEqual(figures["affiliations.unknown_answered"], 0.03)
