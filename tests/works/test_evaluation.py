"""Measured figures are what they say, and what is measured is not told the answers."""

import json
import os
from io import StringIO
from pathlib import Path
from unittest import SkipTest, TestCase

from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, override_settings
from hypothesis import given
from hypothesis import strategies as st

from tests.works.files import DATA, InFolder
from works.evaluation.authors import Measure, measure_acl, measure_openalex, normalised
from works.evaluation.scores import Score, compare

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25)


def quiet(words: str) -> None:
    return None


class ScoreTests(TestCase):
    def test_an_example_worked_by_hand(self) -> None:
        # Three of one person and one of another, found as two and two.
        found = compare("aaab", "1122")
        self.assertEqual(found.b_cubed, Score((1 + 1 + 0.5 + 0.5) / 4, (2 / 3 + 2 / 3 + 1 / 3 + 1) / 4))
        self.assertEqual(found.pairwise, Score(1 / 2, 1 / 3))
        self.assertAlmostEqual(found.pairwise.f1, 0.4)

    @given(labels)
    def test_they_are_the_shares_by_definition(self, pairs: list[tuple[int, int]]) -> None:
        gold, found = zip(*pairs, strict=True)
        things = range(len(pairs))
        same = [[gold[i] == gold[j] for j in things] for i in things]
        put = [[found[i] == found[j] for j in things] for i in things]
        both = [sum(same[i][j] and put[i][j] for j in things) for i in things]
        agreement = compare(gold, found)
        self.assertAlmostEqual(
            agreement.b_cubed.precision, sum(both[i] / sum(put[i]) for i in things) / len(pairs)
        )
        self.assertAlmostEqual(
            agreement.b_cubed.recall, sum(both[i] / sum(same[i]) for i in things) / len(pairs)
        )
        right = sum(both) - len(pairs)
        together, one = (sum(map(sum, table)) - len(pairs) for table in (put, same))
        self.assertAlmostEqual(agreement.pairwise.precision, right / together if together else 1)
        self.assertAlmostEqual(agreement.pairwise.recall, right / one if one else 1)

    @given(labels)
    def test_a_grouping_agrees_with_itself(self, pairs: list[tuple[int, int]]) -> None:
        self.assertEqual(compare(pairs, pairs), compare([], []))

    def test_groupings_of_different_things_are_refused(self) -> None:
        with self.assertRaises(ValueError):
            compare("ab", "a")


def paper(number: int, *authors: str) -> str:
    return (
        f'<paper id="{number}"><title>On matter {number}</title>'
        + "".join(authors)
        + f"<url>P31-10{number:02d}</url></paper>"
    )


def author(name: str, **ids: str) -> str:
    first, last = name.rsplit(" ", 1)
    told = "".join(f' {key}="{value}"' for key, value in ids.items())
    return f"<author{told}><first>{first}</first><last>{last}</last></author>"


ONE, OTHER = "0000-0002-1825-0097", "0000-0001-5109-3700"
TEAM = "".join(map(author, ("Carole-Jean Wu", "Mark Hempstead", "Dheevatsa Mudigere")))


class AclTests(InFolder):
    def collection(self, *papers: str) -> str:
        return (
            '<?xml version="1.0" encoding="UTF-8"?><collection id="P31"><volume id="1"><meta><booktitle>Proceedings</booktitle>'
            f"<year>2031</year></meta>{''.join(papers)}</volume></collection>"
        )

    def measure(self, *papers: str, variants: str = "") -> dict[str, Measure]:
        self.write("xml/P31.xml", self.collection(*papers).encode())
        if variants:
            self.write("yaml/name_variants.yaml", variants.encode())
        return {measure.name: measure for measure in measure_acl([str(self.folder)], quiet)}

    def test_people_are_counted_by_id_and_those_of_several_are_nobody(self) -> None:
        found = self.measure(
            paper(1, author("Wei Liu", id="wei-liu-kcl"), author("Ann Lee", orcid=ONE)),
            paper(2, author("Wei Liu", id="wei-liu"), author("Ann Lee", id="ann-lee", orcid=ONE)),
            paper(3, author("Wei Liu", id="wei-liu-kcl", orcid=OTHER), author("Ann Lee", id="ann-lee")),
            paper(4, author("Wei Liu"), author("Bea Poe")),
            variants="- canonical: {first: Wei, last: Liu}\n  id: wei-liu\n  comment: May refer to several people\n",
        )
        self.assertEqual((found["acl"].lines, found["acl"].people, found["acl"].shared_lines), (5, 2, 0))
        printed = found["acl_as_printed"]
        self.assertEqual((printed.lines, printed.people, printed.shared_people), (6, 5, 5))

    def test_an_id_and_an_orcid_of_the_list_are_one_person(self) -> None:
        papers = paper(1, author("Ann Lee", orcid=ONE)), paper(2, author("Ann Lee", id="ann-lee"))
        self.assertEqual(self.measure(*papers)["acl"].people, 2)
        listed = f"- canonical: {{first: Ann, last: Lee}}\n  id: ann-lee\n  orcid: {ONE}\n"
        self.assertEqual(self.measure(*papers, variants=listed)["acl"].people, 1)

    def test_the_ids_are_hidden_from_the_resolver(self) -> None:
        # By coauthors the first two are one person; whatever the ids say, the resolver finds the same.
        def recall(*ids: dict[str, str]) -> Measure:
            return self.measure(
                paper(1, author("Wei Wang", **ids[0]), TEAM),
                paper(2, author("Wei Wang", **ids[1]), TEAM),
                paper(3, author("Wei Wang", **ids[2]), author("Bea Poe")),
            )["acl"]

        right = recall({"orcid": ONE}, {"orcid": ONE}, {"orcid": OTHER}).methods["resolver"].b_cubed
        wrong = recall({"orcid": ONE}, {"orcid": OTHER}, {"orcid": ONE}).methods["resolver"].b_cubed
        self.assertEqual(right, Score(1.0, 1.0))
        self.assertEqual(wrong, Score(2 / 3, 2 / 3))

    def test_baselines_join_by_name_alone(self) -> None:
        found = self.measure(
            paper(1, author("José Saiz", orcid=ONE)),
            paper(2, author("Jose Saiz", orcid=ONE)),
            paper(3, author("José Saiz", orcid=OTHER)),
        )["acl"]
        self.assertEqual(found.methods["exact name"].b_cubed, Score(2 / 3, 2 / 3))
        self.assertAlmostEqual(found.methods["normalised name"].b_cubed.precision, 5 / 9)
        self.assertEqual(found.methods["normalised name"].b_cubed.recall, 1)
        self.assertEqual((found.shared_lines, found.shared_people), (3, 2))
        self.assertEqual(normalised("Ting‐Hao O’Huang"), "ting hao ohuang")

    def test_of_two_versions_of_a_paper_the_newer_counts(self) -> None:
        self.write("old/P31.xml", self.collection(paper(1, author("Ann Lee"))).encode())
        found = self.measure(paper(1, author("Ann Lee", orcid=ONE), author("Bea Poe")))
        self.assertEqual(found["acl"].lines, 1)


class OpenAlexTests(TestCase):
    def test_ids_before_and_since_mid_2023_are_measured_apart(self) -> None:
        found = {measure.name: measure for measure in measure_openalex([str(DATA / "openalex")], quiet)}
        self.assertEqual(set(found), {"openalex_new", "openalex_old"})
        for measure in found.values():
            score = measure.methods["resolver"].b_cubed
            self.assertGreaterEqual(score.precision, 0.97, measure.name)
            self.assertGreaterEqual(score.recall, 0.90, measure.name)


class CommandTests(InFolder, SimpleTestCase):
    def test_it_prints_tables_and_figures_and_keeps_the_figures(self) -> None:
        out = StringIO()
        with override_settings(BASE_DIR=self.folder):
            call_command(
                "evaluate", "resolution", openalex=[str(DATA / "openalex")], stdout=out, stderr=StringIO()
            )
        self.assertIn("OpenAlex, ids since mid-2023:", out.getvalue())
        self.assertIn("normalised name", out.getvalue())
        kept = json.loads((self.folder / "var/figures/evaluate-resolution.json").read_text())
        names = {figure["name"] for figure in kept["figures"]}
        self.assertIn("resolution.openalex_new.b_cubed_precision", names)
        self.assertTrue(all(figure["met"] for figure in kept["figures"]))

    def test_it_says_what_is_missing(self) -> None:
        for options, words in (
            ({}, "Say what to measure on"),
            ({"acl": ["/nowhere/at/all"]}, "no such file"),
            ({"ror": [str(self.folder)]}, "dataset_affiliations"),
        ):
            with self.assertRaisesMessage(CommandError, words):
                call_command("evaluate", "resolution", stdout=StringIO(), stderr=StringIO(), **options)


class WholeAnthologyTests(TestCase):
    def test_people_are_told_apart_as_well_as_they_should_be(self) -> None:
        folder = Path(os.environ.get("DATA", ""), "acl")
        if not os.environ.get("DATA") or not folder.is_dir():
            raise SkipTest("measures on the whole Anthology where DATA=path names a folder that holds acl/")
        found = measure_acl([str(folder)], quiet)[0]
        everybody, shared = found.methods["resolver"].b_cubed, found.shared["resolver"].b_cubed
        self.assertGreaterEqual(everybody.precision, 0.98)
        self.assertGreaterEqual(everybody.recall, 0.96)
        self.assertGreaterEqual(shared.precision, 0.90)
        self.assertGreaterEqual(shared.recall, 0.80)
