"""What a slice shows and where it is drawn; no database."""

import random
import string

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.algorithms import layout
from graph.algorithms.drawing import build_payload
from graph.algorithms.labels import shorten, variants
from graph.algorithms.payload import Payload, View
from graph.algorithms.selection import (
    EXPLORER,
    MOST_EDGES,
    MOST_NODES,
    PANEL,
    Edge,
    Neighbourhood,
    Node,
    select,
)
from graph.algorithms.ties import is_close, tie_strength

NAMES = [
    "Wu", "Carole-Jean Wu", "Mohammad Alian Abdulrahman al-Khwarizmi ibn Musa", "王小云", "محمد بن موسى الخوارزمي",
    "A" * 190, "Ñandú Öztürk-Śliwińska", "Hercules: Heterogeneity-Aware Inference Serving", "(untitled)",
    "On the 12 ways to count: a survey of what everybody already knows about counting things",
]  # fmt: skip


def neighbourhood(seed: int, authors: int, works: int, topics: int, institutions: int) -> Neighbourhood:
    """Return a made-up neighbourhood of an author, the same one for the same numbers."""
    dice = random.Random(seed)
    subject = Node("author", 0, "p0", dice.choice(NAMES))
    counts = {"author": authors, "work": works, "topic": topics, "institution": institutions}
    nodes = [
        Node(kind, number + 1, f"{kind}{number}", dice.choice(NAMES), dice.choice([0.1, 0.5, 1.0, 3.0]), dice.randint(0, 5))
        for kind, count in counts.items()
        for number in range(count)
    ]  # fmt: skip
    ties = {
        node.key: Edge(subject.key, node.key, node.strength, dice.random() < 0.5, node.works)
        for node in nodes
    }
    edges = [
        Edge(a.key, b.key, dice.choice([0.1, 1.0, 2.0]), dice.random() < 0.4)
        for a in nodes
        for b in nodes
        if a.key < b.key and dice.random() < 0.15
    ]
    return Neighbourhood(subject, nodes, edges, ties, {"author": authors + 7})


around_any_author = st.builds(
    neighbourhood,
    st.integers(0, 10_000), st.integers(0, 70), st.integers(0, 20), st.integers(0, 9), st.integers(0, 9),
)  # fmt: skip


class TieTests(SimpleTestCase):
    def test_a_pair_alone_on_a_work_has_weight_one(self) -> None:
        self.assertEqual(tie_strength([2]), 1.0)

    def test_weights_of_works_add_up(self) -> None:
        self.assertAlmostEqual(tie_strength([6, 21]), 1 / 5 + 1 / 20)
        self.assertEqual(tie_strength([]), 0.0)

    def test_a_work_of_one_author_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            tie_strength([2, 1])

    def test_close_is_two_small_works_or_one_short_author_list(self) -> None:
        self.assertTrue(is_close(2, 50))
        self.assertTrue(is_close(1, 10))
        self.assertFalse(is_close(1, 11))
        self.assertFalse(is_close(0, 51))


class SelectionTests(SimpleTestCase):
    @settings(max_examples=60, deadline=None)
    @given(around_any_author)
    def test_a_slice_keeps_its_bounds_and_every_node_can_be_reached(self, around: Neighbourhood) -> None:
        for budget in (PANEL, EXPLORER):
            chosen = select(around, budget)
            self.assertLessEqual(len(chosen.nodes), MOST_NODES)
            self.assertLessEqual(len(chosen.edges), budget.edges)
            self.assertEqual(chosen.nodes[0], around.subject)
            self.assertEqual(len({node.key for node in chosen.nodes}), len(chosen.nodes))
            pairs = [frozenset((a, b)) for a, b, _ in chosen.edges]
            self.assertEqual(len(set(pairs)), len(pairs))
            reached, grew = {0}, True
            while grew:
                more = {other for pair in pairs if pair & reached for other in pair} - reached
                grew = bool(more)
                reached |= more
            self.assertEqual(reached, set(range(len(chosen.nodes))))

    @settings(max_examples=30, deadline=None)
    @given(around_any_author, st.integers(0, 1000))
    def test_the_order_of_the_facts_does_not_matter(self, around: Neighbourhood, seed: int) -> None:
        dice = random.Random(seed)
        candidates, edges = list(around.candidates), list(around.edges)
        dice.shuffle(candidates)
        dice.shuffle(edges)
        other = Neighbourhood(around.subject, candidates, edges, around.ties, around.totals)
        self.assertEqual(select(around, PANEL), select(other, PANEL))

    def test_the_strongest_of_each_kind_are_shown(self) -> None:
        around = neighbourhood(1, 40, 20, 9, 9)
        chosen = select(around, PANEL)
        shown = {
            kind: [n for n in chosen.nodes[1:] if n.kind == kind] for kind in ("author", "work", "topic")
        }
        self.assertEqual([len(nodes) for nodes in shown.values()], [PANEL.author, PANEL.work, PANEL.topic])
        for kind, nodes in shown.items():
            left_out = [n for n in around.candidates if n.kind == kind and n not in nodes]
            self.assertGreaterEqual(min(n.strength for n in nodes), max(n.strength for n in left_out))

    def test_a_weak_tie_told_by_a_drawn_work_has_no_line_of_its_own(self) -> None:
        subject, work = Node("author", 1), Node("work", 9, strength=1)
        ada, bob = Node("author", 2, strength=1), Node("author", 3, strength=1)
        edges = [Edge(ada.key, bob.key), Edge(ada.key, work.key), Edge(bob.key, work.key)]
        ties = {node.key: Edge(subject.key, node.key) for node in (work, ada, bob)}
        chosen = select(Neighbourhood(subject, [work, ada, bob], edges, ties), PANEL)
        self.assertNotIn({ada.key, bob.key}, [{edge.a, edge.b} for _, _, edge in chosen.edges])
        strong = [Edge(ada.key, bob.key, strong=True), *edges[1:]]
        chosen = select(Neighbourhood(subject, [work, ada, bob], strong, ties), PANEL)
        self.assertIn({ada.key, bob.key}, [{edge.a, edge.b} for _, _, edge in chosen.edges])


class DrawingTests(SimpleTestCase):
    @settings(max_examples=25, deadline=None)
    @given(around_any_author)
    def test_labels_stay_inside_and_touch_neither_each_other_nor_a_node(self, around: Neighbourhood) -> None:
        for explorer in (False, True):
            payload = build_payload(around, explorer=explorer)
            self.assertLessEqual(len(payload["edges"]), MOST_EDGES)
            for view, size in ((payload["wide"], 13), (payload["narrow"], 15)):
                self.check_view(view, size)

    def check_view(self, view: View, size: float) -> None:
        boxes = []
        for number, mark in enumerate(view["marks"]):
            self.assertTrue(mark["r"] <= mark["x"] <= view["width"] - mark["r"])
            self.assertTrue(mark["r"] <= mark["y"] <= view["height"] - mark["r"])
            boxes.append(
                (
                    mark["x"] - mark["r"],
                    mark["y"] - mark["r"],
                    mark["x"] + mark["r"],
                    mark["y"] + mark["r"],
                    number,
                )
            )
            if mark["text"]:
                label = layout.Label(mark["text"], mark["tx"], mark["ty"], mark["anchor"])
                left, top, right, bottom = label.box(size + 2 if number == 0 else size)
                self.assertTrue(
                    left >= 0 and top >= 0 and right <= view["width"] and bottom <= view["height"]
                )
                boxes.append((left, top, right, bottom, number))
        for place, one in enumerate(boxes):
            for other in boxes[:place]:
                apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                self.assertTrue(apart or one[4] == other[4], (one, other))

    def test_the_same_facts_give_the_same_picture(self) -> None:
        around = neighbourhood(3, 40, 12, 6, 6)
        self.assertEqual(build_payload(around, True), build_payload(around, True))

    def test_a_subject_alone_stands_in_the_middle(self) -> None:
        payload: Payload = build_payload(Neighbourhood(Node("author", 1, "p", "Ada Smith")), explorer=False)
        self.assertEqual(len(payload["nodes"]), 1)
        mark = payload["wide"]["marks"][0]
        self.assertEqual((mark["x"], mark["y"], mark["text"]), (410, 220, "Ada Smith"))

    def test_the_narrow_view_shows_a_part_of_the_wide_one_with_the_subject(self) -> None:
        payload = build_payload(neighbourhood(4, 40, 12, 6, 6), explorer=False)
        wide, narrow = ({mark["node"] for mark in payload[view]["marks"]} for view in ("wide", "narrow"))
        self.assertLess(narrow, wide)
        self.assertIn(0, narrow)

    def test_every_label_of_a_panel_of_plain_names_is_drawn(self) -> None:
        subject = Node("author", 0, "p", "Liu Ke")
        nodes = [
            Node("author", n, str(n), f"Author {string.ascii_uppercase[n]}", 1.0, 1) for n in range(1, 12)
        ]
        ties = {node.key: Edge(subject.key, node.key) for node in nodes}
        payload = build_payload(Neighbourhood(subject, nodes, (), ties), explorer=False)
        for view in ("wide", "narrow"):
            self.assertNotIn("", [mark["text"] for mark in payload[view]["marks"]])


class LabelTests(SimpleTestCase):
    def test_a_title_is_called_by_what_stands_before_its_colon(self) -> None:
        self.assertEqual(variants("work", "Hercules: Heterogeneity-Aware Inference Serving")[0], "Hercules")

    def test_a_title_is_cut_at_a_word_and_never_ends_in_a_small_one(self) -> None:
        self.assertEqual(
            variants("work", "An Analytical Model for Memory Interference")[0], "An Analytical Model…"
        )

    def test_a_long_name_gets_initials(self) -> None:
        self.assertEqual(variants("author", "Benjamin Youngjae Cho Longfellow")[0], "B. Y. C. Longfellow")

    @given(st.text(max_size=80), st.integers(4, 40))
    def test_a_shortened_text_is_never_longer_than_asked(self, text: str, most: int) -> None:
        self.assertLessEqual(len(shorten(text, most)), most)
