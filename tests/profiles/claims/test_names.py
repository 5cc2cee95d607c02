from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from profiles.claims.names import Fit, best_fit, compatible, fit, is_confusing, looks
from works.matching.names import spelling

ALIKE = [
    ("Ke Liu", "Ke Liu"),
    ("Ke Liu", "Liu, Ke"),
    ("Ke Liu", "K. Liu"),
    ("Liu Ke", "Ke Liu"),
    ("José Müller", "Jose Mueller"),
    ("Łukasz Wójcik", "Lukasz Wojcik"),
    ("Carole-Jean Wu", "C.-J. Wu"),
    ("Ting-Hao Huang", "Tinghao Huang"),
    ("María García López", "María García"),
    ("García López, María", "Maria Garcia"),
    ("Ludwig van der Berg", "L. van der Berg"),
    ("William Smith", "Bill Smith"),
    ("Anna M. Smith", "Anna Smith"),
    ("刘科", "刘科"),
    ("Анна Смирнова", "А. Смирнова"),
    ("Seán O’Neill", "Sean O'Neill"),
]
APART = [
    ("Ke Liu", "Jia Liu"),
    ("Ke Liu", "Ke Wang"),
    ("Mark Smith", "Mary Smith"),
    ("Ada", "Ada Smith"),
    ("", "Ada Smith"),
    ("", ""),
    ("...", "---"),
    ("Анна Смирнова", "Anna Smirnova"),  # two scripts are not compared
    ("Аda Smith", "Ada Smith"),  # with a Cyrillic А
    ("John Smith Jr.", "John Smith III"),
    ("A. Smith", "B. Smith"),
]
names = st.one_of(
    st.sampled_from([name for pair in ALIKE + APART for name in pair]),
    st.lists(
        st.text(st.characters(categories=["Lu", "Ll", "Lo", "Mn"], include_characters="-'. ,"), max_size=8),
        max_size=4,
    ).map(" ".join),
    st.text(max_size=40),
)


def words(name: str) -> set[str]:
    found = spelling(name)
    return {found.family, *found.given} - {""}


class FitTests(SimpleTestCase):
    def test_one_persons_names(self) -> None:
        for one, other in ALIKE:
            with self.subTest(one=one, other=other):
                self.assertTrue(compatible(one, other))

    def test_two_peoples_names(self) -> None:
        for one, other in APART:
            with self.subTest(one=one, other=other):
                self.assertFalse(compatible(one, other))

    def test_initials_are_told_from_full_names(self) -> None:
        self.assertEqual(fit("Ke Liu", "K. Liu"), Fit.INITIALS)
        self.assertEqual(fit("K. Liu", "K. Liu"), Fit.FULL)
        self.assertEqual(best_fit(["K. Liu", "Ke Liu"], ["Wu", "Liu Ke"]), Fit.FULL)
        self.assertEqual(best_fit([], ["Ke Liu"]), Fit.NONE)

    @given(names, names)
    def test_neither_comes_first(self, one: str, other: str) -> None:
        self.assertEqual(fit(one, other), fit(other, one))

    @given(names, names)
    def test_names_without_a_word_in_common_never_fit(self, one: str, other: str) -> None:
        if spelling(one).family != spelling(other).family and not words(one) & words(other):
            self.assertEqual(fit(one, other), Fit.NONE)

    @given(names)
    def test_a_name_fits_itself_or_is_none(self, name: str) -> None:
        self.assertEqual(compatible(name, name), bool(spelling(name).family))


class ConfusingTests(SimpleTestCase):
    def test_names_written_to_look_like_others(self) -> None:
        for name in ("Аda Smith", "Ada Ѕmith", "Ada Сосо", "А. Smith", "Ad\u200bа Smith", "Αda Smith"):
            with self.subTest(name=name):
                self.assertTrue(is_confusing(name))

    def test_honest_names_in_every_script(self) -> None:
        for name in (
            "", "Ada Smith", "Анна Смирнова", "Δημήτρης Παπαδόπουλος", "山田たろう", "刘科 Ke Liu", "김민준", "H. Müller-Łukasz",
            "Seán O’Neill", "Nguyễn Đặng", "محمد علي", "אברהם כהן", "สมชาย ใจดี", "Ole Ås",
        ):  # fmt: skip
            with self.subTest(name=name):
                self.assertFalse(is_confusing(name))

    def test_what_a_text_is_read_as(self) -> None:
        self.assertEqual(looks("BRОWN.ɡov.uk é"), "brown.gov.uk e")
