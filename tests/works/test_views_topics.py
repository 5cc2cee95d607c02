from django.test import TestCase

from tests.factories import make_author, make_institution, make_topic, make_work


class TopicPageTests(TestCase):
    def test_it_shows_where_it_belongs_its_works_and_people(self) -> None:
        field = make_topic("Computer Science", level="field")
        topic = make_topic("Graph theory", parent=make_topic("Theory", level="subfield", parent=field))
        author = make_author("Ada Smith")
        make_work("On graphs", authors=[author], topics=[topic])
        response = self.client.get(topic.get_absolute_url())
        self.assertEqual(
            [wider.display_name for wider in response.context["chain"]], ["Computer Science", "Theory"]
        )
        self.assertEqual([(row.author, row.works) for row in response.context["people"]], [(author, 1)])
        self.assertContains(response, "On graphs")

    def test_it_asks_as_often_for_one_work_as_for_three(self) -> None:
        parent = make_topic("Theory", level="subfield")
        for number in (1, 3):
            topic = make_topic(f"Graphs {number}", parent=parent)
            for i in range(number):
                make_work(f"Work {i}", authors=number, topics=[topic])
            with self.subTest(works=number), self.assertNumQueries(9):
                self.client.get(topic.get_absolute_url())

    def test_a_topic_without_works_says_so(self) -> None:
        response = self.client.get(make_topic("Empty").get_absolute_url())
        self.assertContains(response, "No imported work is about this topic itself.")


class InstitutionPageTests(TestCase):
    def test_it_shows_ror_works_and_people(self) -> None:
        place = make_institution("Tufts University", ror="05wvpxv85", country_code="US", type="education")
        author = make_author("Ada Smith")
        make_work("On graphs", authors=[author, make_author("Bob Stone")], institution=place)
        response = self.client.get(place.get_absolute_url())
        self.assertContains(response, "https://ror.org/05wvpxv85")
        self.assertEqual(response.context["totals"], {"works": 1, "people": 2})
        self.assertContains(
            self.client.get(place.get_absolute_url() + "?tab=people"), "2 people with an affiliation here"
        )

    def test_it_asks_as_often_for_one_work_as_for_three(self) -> None:
        for tab, queries in (("works", 6), ("people", 6)):
            for number in (1, 3):
                place = make_institution(f"Place {tab} {number}")
                for i in range(number):
                    make_work(f"Work {i}", authors=number, institution=place)
                with self.subTest(tab=tab, works=number), self.assertNumQueries(queries):
                    self.client.get(f"{place.get_absolute_url()}?tab={tab}")
