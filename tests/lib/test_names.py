import doctest
import unittest

from bzpeer.lib import names
from bzpeer.lib.names import Name, clean, fold, is_particle, split_name


class NamesDocTests(unittest.TestCase):
    def test_examples_in_docstrings_hold(self):
        self.assertEqual(doctest.testmod(names).failed, 0)


class CleanTests(unittest.TestCase):
    def test_it_removes_what_cannot_be_seen(self):
        for text in (
            "Liu\x00 Ke",
            "Liu\u200b Ke",
            "\u202eLiu\u202c Ke",
            "\ufeffLiu Ke",
            "Li\u00adu Ke",
            "Liu \ud800Ke",
            "Liu\u3164 Ke\ufe0f",
        ):
            with self.subTest(text=ascii(text)):
                self.assertEqual(clean(text), "Liu Ke")

    def test_it_joins_white_space(self):
        for text in ("  Liu   Ke ", "Liu\tKe", "Liu\r\nKe", "Liu\u00a0Ke", "Liu\u3000Ke"):
            with self.subTest(text=ascii(text)):
                self.assertEqual(clean(text), "Liu Ke")

    def test_it_composes_accents(self):
        self.assertEqual(clean("Jose\u0301"), "José")


class FoldTests(unittest.TestCase):
    def test_it_folds(self):
        for text, folded in {
            "": "",
            "Liu Ke": "liu ke",
            "LIU KE": "liu ke",
            "José": "jose",
            "Jose\u0301": "jose",
            "Mirosław": "miroslaw",
            "Bjørn Ångström": "bjorn angstrom",
            "Weiß": "weiss",
            "WEIẞ": "weiss",
            "Đặng Thị Hương": "dang thi huong",
            "Ægir Œuvre": "aegir oeuvre",
            "Þórður Guðmundsson": "thordur gudmundsson",
            "İbrahim Yıldız": "ibrahim yildiz",
            "Soner Bi\u0307len": "soner bilen",
            "Mario D\u0131\u0301az": "mario diaz",
            "O'Neill": "oneill",
            "O’Neill": "oneill",
            "Oʼneill": "oneill",
            "D´Angelo": "dangelo",
            "J. R. Smith": "j r smith",
            "J.R. Smith": "j r smith",
            "Ph.D.": "ph d",
            "Carole-Jean": "carole-jean",
            "Carole‐Jean": "carole-jean",
            "Carole–Jean": "carole-jean",
            "Ａｌａｎ": "alan",
            "ﬁsher": "fisher",
            "Γιώργος": "γιωργοσ",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(fold(text), folded)

    def test_other_scripts_keep_their_letters(self):
        for text in ("刘珂", "김민준", "が", "йорданов", "محمد", "أحمد", "राम", "นิติ"):
            with self.subTest(text=text):
                self.assertEqual(fold(text), text)

    def test_folding_twice_changes_nothing(self):
        for text in ("D´Angelo", "İbrahim", "Ǽ", "김민준", "J.R.R.-Tolkien", "ŀ", "ϓ", "ŉ"):
            with self.subTest(text=text):
                self.assertEqual(fold(fold(text)), fold(text))


class SplitNameTests(unittest.TestCase):
    def check(self, cases):
        for text, expected in cases.items():
            with self.subTest(text=ascii(text)):
                self.assertEqual(split_name(text), Name(*expected))

    def test_first_last(self):
        self.check(
            {
                "Liu Ke": (("Liu",), "Ke"),
                "Hsien-Hsin S. Lee": (("Hsien", "Hsin", "S."), "Lee"),
                "Benjamin Youngjae Cho": (("Benjamin", "Youngjae"), "Cho"),
                "J.-P. Serre": (("J.", "P."), "Serre"),
                "J.R.R. Tolkien": (("J.", "R.", "R."), "Tolkien"),
                "María José García-Márquez": (("María", "José"), "García-Márquez"),
                "Conor O'Neill": (("Conor",), "O'Neill"),
                "  Liu \t Ke\n": (("Liu",), "Ke"),
                "Liu\x00 \u200eKe": (("Liu",), "Ke"),
                "Peush \u200eSahni": (("Peush",), "Sahni"),
                "Иван Петров": (("Иван",), "Петров"),
            }
        )

    def test_last_first(self):
        self.check(
            {
                "Ke, Liu": (("Liu",), "Ke"),
                "Lee, Hsien-Hsin S.": (("Hsien", "Hsin", "S."), "Lee"),
                "van der Berg, Ludwig": (("Ludwig",), "van der Berg"),
                "Lee,, Hsien": (("Hsien",), "Lee"),
                "Ke,": ((), "Ke"),
                ", Liu Ke": (("Liu",), "Ke"),
                "García Márquez, Gabriel": (("Gabriel",), "García Márquez"),
            }
        )

    def test_single_words_and_no_name(self):
        self.check(
            {
                "Aristotle": ((), "Aristotle"),
                "刘珂": ((), "刘珂"),
                "J.": ((), "J."),
                "": ((), ""),
                " \u200b ": ((), ""),
                ", ,": ((), ""),
                "-": ((), ""),
            }
        )

    def test_suffixes(self):
        self.check(
            {
                "Martin Luther King Jr.": (("Martin", "Luther"), "King", "Jr"),
                "Martin Luther King, Jr.": (("Martin", "Luther"), "King", "Jr"),
                "King, Jr., Martin Luther": (("Martin", "Luther"), "King", "Jr"),
                "King Jr., Martin Luther": (("Martin", "Luther"), "King", "Jr"),
                "King, Martin Luther, Jr.": (("Martin", "Luther"), "King", "Jr"),
                "King, Martin Luther Jr": (("Martin", "Luther"), "King", "Jr"),
                "John A. Smith III": (("John", "A."), "Smith", "III"),
                "Davis Jr.": ((), "Davis", "Jr"),
                "Naoki Ii": (("Naoki",), "Ii"),
                "Jr": ((), "Jr"),
            }
        )

    def test_particles_belong_to_the_family_name(self):
        self.check(
            {
                "Ludwig van der Berg": (("Ludwig",), "van der Berg"),
                "Maria de la Cruz": (("Maria",), "de la Cruz"),
                "Dick Van Dyke": (("Dick",), "Van Dyke"),
                "Osama El Sayed": (("Osama",), "El Sayed"),
                "Omar bin Ali al Hassan": (("Omar", "bin", "Ali"), "al Hassan"),
                "John von Neumann": (("John",), "von Neumann"),
                "LUDWIG VAN DER BERG": (("LUDWIG",), "VAN DER BERG"),
                "ludwig van der berg": (("ludwig",), "van der berg"),
                "van Gogh": ((), "van Gogh"),
                "Anna ter Beek": (("Anna",), "ter Beek"),
                "Santiago Ramón y Cajal": (("Santiago",), "Ramón y Cajal"),
            }
        )

    def test_given_names_that_look_like_particles(self):
        self.check(
            {
                "Di Wu": (("Di",), "Wu"),
                "di wu": (("di",), "wu"),
                "Bin Yang": (("Bin",), "Yang"),
                "Al Gore": (("Al",), "Gore"),
                "Nguyen Van Linh": (("Nguyen", "Van"), "Linh"),
                "Rajib Das Roy": (("Rajib", "Das"), "Roy"),
            }
        )

    def test_initials_behind_the_family_name(self):
        self.check(
            {
                "Smith J": (("J",), "Smith"),
                "Smith J. A.": (("J.", "A."), "Smith"),
                "Савченко В Г": (("В", "Г"), "Савченко"),
                "Smith J.A.": (("J.", "A."), "Smith"),
                "van der Berg L.": (("L.",), "van der Berg"),
                "J. A. B.": (("J.", "A."), "B."),
                "Paul St.": (("Paul",), "St."),
            }
        )

    def test_east_asian_characters(self):
        self.check(
            {
                "刘 珂": (("珂",), "刘"),
                "김 민준": (("민준",), "김"),
                "민준 김": (("민준",), "김"),
                "山田 太郎": (("太郎",), "山田"),
                "约翰·史密斯": (("约翰",), "史密斯"),
            }
        )

    def test_brackets_and_footnote_marks_are_dropped(self):
        self.check(
            {
                "Liu Ke (1)": (("Liu",), "Ke"),
                "Liu Ke*": (("Liu",), "Ke"),
                "Robert (Bob) Smith": (("Robert",), "Smith"),
                "(Liu Ke)": (("Liu",), "Ke"),
            }
        )

    def test_folded_parts(self):
        self.assertEqual(split_name("José-María O’Neill Jr.").folded, Name(("jose", "maria"), "oneill", "jr"))

    def test_family_key_is_the_last_word_without_particles(self):
        for text, key in {
            "Ludwig van der Berg": "berg",
            "Osama El-Sayed": "sayed",
            "G. García-Márquez": "garcia-marquez",
            "García Márquez, G.": "marquez",
            "": "",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(split_name(text).family_key, key)

    def test_particles_are_left_out_when_names_are_looked_up(self):
        self.assertTrue(all(map(is_particle, ("van", "der", "de", "la", "al", "zu", "das"))))
        self.assertFalse(any(map(is_particle, ("berg", "wei", "vann", "y", ""))))
