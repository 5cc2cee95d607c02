from unittest import TestCase

from bzpeer.lib.names import split_name
from works.matching import Line, cluster, common_name, evidence, name_bits


def line(key: int, name: str, coauthors: str = "", work: int | None = None, **more: object) -> Line:
    names = frozenset(name.strip() for name in coauthors.split(",") if name.strip())
    return Line(key=key, work=work if work is not None else key, name=name, coauthors=names, **more)  # type: ignore[arg-type]


def people(*lines: Line) -> list[set[int]]:
    groups, _ = cluster(lines, {one.key: one.name.split()[-1] for one in lines})
    return sorted(({one.key for one in group} for group in groups), key=min)


def bits(name: str) -> float:
    return name_bits(split_name(name).folded)


class NameTests(TestCase):
    def test_a_common_name_tells_less_than_a_rare_one(self) -> None:
        self.assertLess(bits("Wei Wang"), bits("Liu Ke"))
        self.assertLess(bits("Liu Ke"), bits("Carole-Jean Wu"))

    def test_an_initial_tells_less_than_a_name(self) -> None:
        self.assertLess(bits("M. Hempstead"), bits("Mark Hempstead"))

    def test_the_order_of_two_words_does_not_matter(self) -> None:
        self.assertEqual(bits("Liu Ke"), bits("Ke Liu"))

    def test_names_share_what_both_say(self) -> None:
        mark = split_name("Mark Hempstead").folded
        self.assertEqual(common_name(mark, split_name("M. Hempstead").folded).given, ("m",))
        self.assertIsNone(common_name(mark, split_name("Mary Hempstead").folded))
        self.assertIsNone(common_name(mark, split_name("Mark Brooks").folded))


class EvidenceTests(TestCase):
    def test_a_name_alone_never_joins_however_rare(self) -> None:
        self.assertIsNone(evidence(line(1, "Hsien-Hsin S. Lee"), line(2, "Hsien-Hsin S. Lee")))

    def test_a_common_name_is_not_joined_by_a_topic(self) -> None:
        self.assertLess(
            evidence(line(1, "Wei Wang", topics=frozenset([1])), line(2, "Wei Wang", topics=frozenset([1]))),
            0,
        )

    def test_a_rare_name_is_joined_by_a_topic(self) -> None:
        one, other = (line(key, "Dheevatsa Mudigere", topics=frozenset([1])) for key in (1, 2))
        self.assertGreaterEqual(evidence(one, other), 0)

    def test_one_work_never_holds_one_person_twice(self) -> None:
        self.assertIsNone(
            evidence(line(1, "Udit Gupta", "x y", work=1), line(2, "Udit Gupta", "x y", work=1))
        )

    def test_two_orcids_are_two_people(self) -> None:
        one, other = (
            line(key, "Udit Gupta", "carole-jean wu, mark hempstead", ids=frozenset([("orcid", str(key))]))
            for key in (1, 2)
        )
        self.assertIsNone(evidence(one, other))

    def test_an_old_and_a_new_openalex_id_may_be_one_person(self) -> None:
        one = line(1, "Udit Gupta", "carole-jean wu", ids=frozenset([("openalex", "A2104567")]))
        other = line(2, "Udit Gupta", "carole-jean wu", ids=frozenset([("openalex", "A5035704218")]))
        self.assertGreaterEqual(evidence(one, other), 0)


class ClusterTests(TestCase):
    def test_shared_coauthors_join_even_common_names(self) -> None:
        self.assertEqual(
            people(line(1, "Liu Ke", "xuan zhang, udit gupta"), line(2, "Liu Ke", "xuan zhang, weidong cao")),
            [{1, 2}],
        )

    def test_strangers_of_one_name_stay_apart(self) -> None:
        self.assertEqual(people(line(1, "Wei Wang", "li na"), line(2, "Wei Wang", "ann lee")), [{1}, {2}])

    def test_an_identifier_joins_what_names_could_not(self) -> None:
        ids = frozenset([("orcid", "0000-0002-1825-0097")])
        self.assertEqual(
            people(line(1, "J. Carberry", ids=ids), line(2, "Josiah Carberry", ids=ids)), [{1, 2}]
        )

    def test_a_chain_does_not_join_two_identified_people(self) -> None:
        lines = [
            line(1, "Yu Liu", "carole-jean wu, mark hempstead", ids=frozenset([("orcid", "1")])),
            line(2, "Yu Liu", "carole-jean wu, mark hempstead"),
            line(3, "Yu Liu", "carole-jean wu, mark hempstead", ids=frozenset([("orcid", "2")])),
        ]
        groups = people(*lines)
        self.assertEqual(len(groups), 2)
        self.assertFalse(any({1, 3} <= group for group in groups))

    def test_the_order_of_lines_does_not_matter(self) -> None:
        lines = [line(key, "Liu Ke", "xuan zhang, udit gupta") for key in range(1, 5)] + [
            line(9, "Liu Ke", "ann lee")
        ]
        self.assertEqual(people(*lines), people(*reversed(lines)))

    def test_one_identifier_twice_on_a_work_is_two_people(self) -> None:
        ids = frozenset([("openalex", "A5000000001")])
        self.assertEqual(
            people(line(1, "World Bank", work=1, ids=ids), line(2, "World Bank", work=1, ids=ids)), [{1}, {2}]
        )

    def test_near_misses_are_reported(self) -> None:
        lines = [
            line(1, "Stefan Schmid", topics=frozenset([1])),
            line(2, "Stefan Schmid", topics=frozenset([1])),
        ]
        _, near = cluster(lines, {1: "b", 2: "b"})
        self.assertEqual([miss[:2] for miss in near], [(1, 2)])
