from django.test import SimpleTestCase, TestCase

from tests.factories import make_author, make_institution, make_topic, make_work
from works.models import Author, AuthorIdentifier, AuthorName, Institution, Topic, TopicIdentifier, Work
from works.search import (
    count_up_to,
    find_by_identifier,
    name_query,
    recognise,
    search_authors,
    search_institutions,
    search_topics,
    search_works,
    words_of,
)
from works.services.search_documents import (
    refresh_author_search,
    refresh_institution_search,
    refresh_topic_search,
    refresh_work_search,
)


def index_all() -> None:
    for model, refresh in (
        (Author, refresh_author_search),
        (Work, refresh_work_search),
        (Institution, refresh_institution_search),
        (Topic, refresh_topic_search),
    ):
        refresh(model.objects.values_list("pk", flat=True))


class WordsTests(SimpleTestCase):
    def test_words_are_folded_and_hyphens_also_joined(self) -> None:
        self.assertEqual(words_of("Wójcik-Łukasz, J.R."), ["wojcik", "lukasz", "wojciklukasz", "j", "r"])

    def test_chinese_is_read_in_pairs(self) -> None:
        self.assertEqual(words_of("欧阳修"), ["欧阳", "阳修"])

    def test_nothing_to_search_is_no_query(self) -> None:
        for text in ("", "  ", "?!", "'", "\\", "---"):
            self.assertIsNone(name_query(text))


class NameSearchTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.liu_ke = make_author("Liú Kè", works_count=2)
        AuthorName.objects.create(author=cls.liu_ke, display_name="Ke, L.")
        cls.initial = make_author("L. Ke", works_count=1)
        cls.longer = make_author("Liu Ke Wang", works_count=90)
        cls.lee = make_author("Hsien-Hsin S. Lee")
        cls.wang = make_author("Xiaoming Wang")
        cls.oneill = make_author("Tim O’Neill")
        cls.chinese = make_author("刘柯")
        cls.arabic = make_author("محمد علي")
        cls.hidden = make_author("Liu Ke", suppressed=True)
        cls.merged = make_author("Liu Ke", merged_into=cls.liu_ke)
        index_all()

    def found(self, text: str) -> list[Author]:
        return list(search_authors(text))

    def test_accents_order_case_and_commas_do_not_matter(self) -> None:
        for text in ("liu ke", "ke liu", "Liú Kè", "KE, LIU", "liuke"):
            self.assertIn(self.liu_ke, self.found(text), text)

    def test_initials_meet_full_names_both_ways(self) -> None:
        self.assertIn(self.liu_ke, self.found("L. Ke"))
        self.assertIn(self.initial, self.found("Liu Ke"))
        self.assertNotIn(self.initial, self.found("Peter Ke"))

    def test_the_very_name_comes_before_a_longer_one_with_more_works(self) -> None:
        self.assertEqual(self.found("ke liu")[0], self.liu_ke)

    def test_a_middle_initial_may_be_missing_or_too_many(self) -> None:
        self.assertEqual(self.found("Hsien-Hsin Lee"), [self.lee])
        self.assertEqual(self.found("Hsien Hsin S Lee"), [self.lee])

    def test_beginnings_and_joined_names_find(self) -> None:
        self.assertEqual(self.found("xiaom wan"), [self.wang])
        self.assertEqual(self.found("Xiao Ming Wang"), [self.wang])
        self.assertEqual(self.found("oneill"), [self.oneill])
        self.assertEqual(self.found("O'Neill"), [self.oneill])

    def test_names_in_other_scripts_are_found(self) -> None:
        self.assertEqual(self.found("刘柯"), [self.chinese])
        self.assertEqual(self.found("محمد"), [self.arabic])

    def test_hidden_and_merged_authors_are_not_found(self) -> None:
        self.assertNotIn(self.hidden, self.found("liu ke"))
        self.assertNotIn(self.merged, self.found("liu ke"))

    def test_odd_input_is_harmless(self) -> None:
        for text in (
            "'",
            "\\",
            "a' | b",
            "!:*&",
            "x" * 5000,
            "((",
            "'' \\'",
            "é" * 200,
            "\u202e\u200b",
            "- -",
        ):
            self.assertIsInstance(self.found(text), list, text)
            self.assertIsInstance(list(search_works(text)), list, text)
            self.assertIsInstance(list(search_topics(text)), list, text)

    def test_writing_documents_again_changes_no_row(self) -> None:
        with self.assertNumQueries(2):
            refresh_author_search([self.liu_ke.pk])
        before = Author.objects.values_list("search", flat=True).get(pk=self.liu_ke.pk)
        refresh_author_search([self.liu_ke.pk])
        self.assertEqual(Author.objects.values_list("search", flat=True).get(pk=self.liu_ke.pk), before)


class WorkSearchTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.hercules = make_work(
            "Hercules: Heterogeneity-Aware Inference Serving", authors=[make_author("Liu Ke")],
            abstract="Personalized recommendation is an important class.", year=2022, cited_by_count=5,
        )  # fmt: skip
        cls.other = make_work(
            "Recommending kernels to Liu", authors=[make_author("Ann Ke")], cited_by_count=900
        )
        cls.chinese = make_work("基于深度学习的推荐系统")
        index_all()

    def test_word_stems_of_title_and_abstract_find(self) -> None:
        self.assertEqual(list(search_works("hercules serving")), [self.hercules])
        self.assertIn(self.hercules, search_works("recommendations"))
        self.assertIn(self.hercules, search_works("heterogeneity"))

    def test_authors_find_and_their_very_name_ranks_first(self) -> None:
        self.assertEqual(list(search_works("ke liu")), [self.hercules, self.other])

    def test_quoted_words_stand_together(self) -> None:
        self.assertEqual(list(search_works('"important class"')), [self.hercules])
        self.assertEqual(list(search_works('"class important"')), [])

    def test_orders(self) -> None:
        self.assertEqual(list(search_works("ke liu", "cited")), [self.other, self.hercules])

    def test_chinese_titles_are_found_by_a_part(self) -> None:
        self.assertEqual(list(search_works("深度学习")), [self.chinese])

    def test_counts_stop(self) -> None:
        self.assertEqual(count_up_to(search_works("ke liu"), 1), 2)


class OtherSearchTests(TestCase):
    def test_topics_are_found_by_words_and_code(self) -> None:
        topic = make_topic("Hardware Architecture", works_count=3)
        TopicIdentifier.objects.create(topic=topic, scheme="arxiv", value="cs.AR")
        make_topic("Software")
        index_all()
        self.assertEqual(list(search_topics("archit")), [topic])
        self.assertEqual(list(search_topics("cs.AR")), [topic])
        self.assertEqual(list(search_topics("ware")), [])

    def test_institutions_are_found_by_variants(self) -> None:
        place = make_institution("Massachusetts Institute of Technology", name_variants=["MIT"])
        index_all()
        self.assertEqual(list(search_institutions("mit")), [place])
        self.assertEqual(list(search_institutions("institute technology mass")), [place])


class IdentifierTests(TestCase):
    def test_whole_identifiers_are_recognised_in_every_spelling(self) -> None:
        for text, expected in {
            "0000-0002-1825-0097": ("orcid", "0000-0002-1825-0097"),
            "https://orcid.org/0000-0002-1825-0097": ("orcid", "0000-0002-1825-0097"),
            "https://doi.org/10.1109/ISCA45697.2020.00070": ("doi", "10.1109/isca45697.2020.00070"),
            "10.48550/arXiv.1912.12953": ("arxiv", "1912.12953"),
            "arXiv:1912.12953v2": ("arxiv", "1912.12953"),
            "https://openalex.org/A5023888391": ("openalex", "A5023888391"),
            "https://ror.org/05wvpxv85": ("ror", "05wvpxv85"),
        }.items():
            self.assertEqual(recognise(text), expected, text)
        for text in ("liu ke", "0000-0002-1825-0098", "T5", "", "10 things", "hercules"):
            self.assertIsNone(recognise(text), text)

    def test_an_identifier_finds_its_record(self) -> None:
        author = make_author()
        AuthorIdentifier.objects.create(author=author, scheme="orcid", value="0000-0002-1825-0097")
        work = make_work(arxiv="1912.12953")
        self.assertEqual(find_by_identifier("orcid", "https://orcid.org/0000-0002-1825-0097"), author)
        self.assertEqual(find_by_identifier("doi", "10.48550/arxiv.1912.12953"), work)
        self.assertIsNone(find_by_identifier("doi", "nonsense"))
