import ast
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from graph.services.collaborations import rebuild_collaborations
from profiles import access, recommended
from profiles.models import Block, Follow, NotInterested, Preferences, Recommendation, User
from profiles.services import recommendations
from tests.factories import make_author, make_claimed, make_institution, make_topic, make_user, make_work
from tests.profiles.cast import HTMX, PeopleTestCase, client_of
from works.models import Author, Work

ROOT = Path(__file__).parent.parent.parent
THIS_YEAR = timezone.localdate().year
KIND = Recommendation.Kind


class RecommendationsTestCase(PeopleTestCase):
    """alice wrote with bob, bob with erin; erin's newest work is on alice's topic; faye is on another one."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.parsing, cls.speech = make_topic("Parsing"), make_topic("Speech")
        cls.erin, cls.faye = make_author("Erin Okafor"), make_author("Faye Lindqvist")
        erins = {"authors": [cls.bob_author, cls.erin], "topics": [cls.parsing]}
        make_work(
            "Parsing with bob and alice",
            authors=[cls.alice_author, cls.bob_author],
            topics=[cls.parsing],
            year=THIS_YEAR - 1,
        )
        cls.erins_work = make_work("Parsing trees quickly", year=THIS_YEAR - 1, **erins)
        make_work("Speech alone", authors=[cls.erin], topics=[cls.speech], year=THIS_YEAR - 2)
        make_work("Speech twice", authors=[cls.erin], topics=[cls.speech], year=THIS_YEAR - 2)
        cls.fayes_work = make_work(
            "Parsing sounds", authors=[cls.faye], topics=[cls.parsing], year=THIS_YEAR - 1
        )
        rebuild_collaborations([author.pk for author in Author.objects.all()])

    def setUp(self) -> None:
        cache.clear()

    def recommend(self, user: User) -> dict[str, list[Any]]:
        recommendations.recommend(user=user)
        return self.shown(user)

    def shown(self, user: User) -> dict[str, list[Any]]:
        return {panel.kind: [item.record for item in panel.items] for panel in recommended.panels(user)}

    def why(self, user: User, kind: str, record: Author | Work) -> list[str]:
        panel = next(panel for panel in recommended.panels(user) if panel.kind == kind)
        item = next(item for item in panel.items if item.record == record)
        return [why.before + " and ".join(str(one) for one in why.records) + why.after for why in item.why]


class FindingTests(RecommendationsTestCase):
    def test_a_researcher_gets_all_three_kinds_with_reasons(self) -> None:
        found = self.recommend(self.alice)
        self.assertEqual(found["follow"], [self.bob_author, self.erin, self.faye])
        self.assertEqual(found["collaborate"], [self.erin, self.faye])
        self.assertEqual(set(found["read"]), {self.erins_work, self.fayes_work, *self.erin_alone()})
        self.assertEqual(
            self.why(self.alice, "collaborate", self.erin),
            [
                "You both wrote with Bob Stone.",
                "Works on Parsing, as you do.",
                "Also works on Speech, on which you have not written yet.",
            ],
        )
        self.assertEqual(
            self.why(self.alice, "read", self.erins_work),
            ["By Bob Stone, with whom you wrote.", "On Parsing, as your works are."],
        )
        self.assertEqual(
            self.why(self.alice, "follow", self.bob_author),
            ["You wrote Parsing with bob and alice together."],
        )

    def erin_alone(self) -> list[Work]:
        return list(Work.objects.filter(title__startswith="Speech"))

    def test_a_member_without_a_page_gets_them_from_follows(self) -> None:
        Follow.objects.create(user=self.charlie, author=self.bob_author)
        Follow.objects.create(user=self.charlie, topic=self.speech)
        found = self.recommend(self.charlie)
        self.assertEqual(
            {one.pk for one in found["follow"]}, {self.alice_author.pk, self.erin.pk, self.faye.pk}
        )
        self.assertEqual(
            self.why(self.charlie, "follow", self.erin),
            ["Wrote with Bob Stone, whom you follow.", "Works on Speech, which you follow."],
        )
        self.assertIn(self.erins_work, found["read"])

    def test_topics_alone_are_enough(self) -> None:
        Follow.objects.create(user=self.charlie, topic=self.speech)
        found = self.recommend(self.charlie)
        self.assertEqual(found["follow"], [self.erin])

    def test_a_member_who_follows_nobody_gets_none_and_is_told_so(self) -> None:
        self.assertEqual(recommendations.recommend(user=self.charlie), 0)
        with self.captureOnCommitCallbacks(execute=True):
            recommendations.recommend(user=self.charlie)
        page = self.get(self.charlie, "/me/recommendations/").content.decode()
        self.assertIn("Nobody to suggest at present. Follow a researcher or a topic", page)
        self.assertNotIn("being worked out", page)

    def test_the_same_city_is_told(self) -> None:
        ours = make_institution("Tufts University", city="Medford", country_code="US")
        theirs = make_institution("Medford Institute", city="Medford", country_code="US")
        elsewhere = make_institution("Medford College", city="Medford", country_code="GB")
        near, far = make_author("Nia Close"), make_author("Ola Far")
        make_work("Bridges", authors=[self.alice_author], institution=ours, year=THIS_YEAR)
        make_work("Parsing brooks", authors=[near], topics=[self.parsing], institution=theirs, year=THIS_YEAR)
        make_work(
            "Parsing lakes", authors=[far], topics=[self.parsing], institution=elsewhere, year=THIS_YEAR
        )
        found = self.recommend(self.alice)
        self.assertIn(
            "Is in Medford, as you are, at Medford Institute.", self.why(self.alice, "collaborate", near)
        )
        self.assertNotIn("Medford", "".join(self.why(self.alice, "collaborate", far)))
        self.assertLess(found["collaborate"].index(near), found["collaborate"].index(far))

    def test_who_is_closed_is_no_possible_collaborator_and_who_is_open_is_told(self) -> None:
        gus, hana = make_claimed("Gus Open"), make_claimed("Hana Shut")
        hana.open_to_collaborate = False
        hana.save(update_fields=["open_to_collaborate"])
        make_work("Parsing a", authors=[gus.author], topics=[self.parsing], year=THIS_YEAR)
        make_work("Parsing b", authors=[hana.author], topics=[self.parsing], year=THIS_YEAR)
        found = self.recommend(self.alice)
        self.assertNotIn(hana.author, found["collaborate"])
        self.assertIn(
            "Joined here and is open to collaborate.", self.why(self.alice, "collaborate", gus.author)
        )
        mine = access.researcher(self.alice)
        assert mine
        mine.collaboration_role = gus.collaboration_role = "data"
        mine.save(update_fields=["collaboration_role"])
        gus.save(update_fields=["collaboration_role"])
        self.recommend(self.alice)
        self.assertIn(
            "Is open to collaborate as you are: data or code.",
            self.why(self.alice, "collaborate", gus.author),
        )

    def test_what_their_feed_has_shown_them_is_not_to_read(self) -> None:
        Follow.objects.create(user=self.alice, author=self.erin)
        Preferences.objects.update_or_create(
            user=self.alice, defaults={"feed_seen_at": timezone.now() + timedelta(days=2)}
        )
        found = self.recommend(self.alice)
        self.assertNotIn(self.erins_work, found["read"])
        self.assertIn(self.fayes_work, found["read"])

    def test_running_it_twice_changes_nothing(self) -> None:
        first = self.recommend(self.alice)
        rows = Recommendation.objects.filter(user=self.alice).count()
        self.assertEqual(self.recommend(self.alice), first)
        self.assertEqual(Recommendation.objects.filter(user=self.alice).count(), rows)

    def test_a_common_name_of_nothing_breaks_nothing(self) -> None:
        lonely = make_claimed("Ivo Alone")
        self.assertEqual(self.recommend(lonely.user), {"follow": [], "collaborate": [], "read": []})


class WishesTests(RecommendationsTestCase):
    def test_blocks_hide_both_ways_before_and_after(self) -> None:
        erin = make_user("Erin")
        make_claimed_page(erin, self.erin)
        for blocker, blocked in ((self.alice, erin), (erin, self.alice)):
            with self.subTest(blocker=str(blocker)):
                self.assertIn(self.erin, self.recommend(self.alice)["follow"])
                block = Block.objects.create(blocker=blocker, blocked=blocked)
                for found in (self.shown(self.alice), self.recommend(self.alice)):
                    self.assertNotIn(self.erin, [*found["follow"], *found["collaborate"]])
                    self.assertNotIn(self.erins_work, found["read"])
                block.delete()

    def test_no_reason_names_somebody_across_a_block(self) -> None:
        make_claimed_page(self.bob, self.bob_author)
        self.recommend(self.alice)
        Block.objects.create(blocker=self.bob, blocked=self.alice)
        self.assertEqual(self.why(self.alice, "follow", self.erin), ["Works on Parsing, as you do."])
        self.recommend(self.alice)
        self.assertEqual(self.why(self.alice, "follow", self.erin), ["Works on Parsing, as you do."])

    def test_hidden_and_merged_people_are_gone_at_once(self) -> None:
        self.recommend(self.alice)
        Author.objects.filter(pk=self.erin.pk).update(suppressed=True)
        Author.objects.filter(pk=self.faye.pk).update(merged_into=self.dora_author)
        for found in (self.shown(self.alice), self.recommend(self.alice)):
            self.assertNotIn(self.erin, found["follow"])
            self.assertNotIn(self.faye, found["follow"])

    def test_a_reason_whose_person_is_hidden_goes(self) -> None:
        self.recommend(self.alice)
        Author.objects.filter(pk=self.bob_author.pk).update(suppressed=True)
        self.assertEqual(self.why(self.alice, "follow", self.erin), ["Works on Parsing, as you do."])

    def test_not_interested_is_kept_and_can_be_taken_back(self) -> None:
        self.recommend(self.alice)
        for target in (self.erin, self.erins_work):
            recommendations.not_interested(user=self.alice, target=target)
            recommendations.not_interested(user=self.alice, target=target)
        for found in (self.shown(self.alice), self.recommend(self.alice)):
            self.assertNotIn(self.erin, [*found["follow"], *found["collaborate"]])
            self.assertNotIn(self.erins_work, found["read"])
        for target in (self.erin, self.erins_work):
            recommendations.undo_not_interested(user=self.alice, target=target)
        found = self.recommend(self.alice)
        self.assertIn(self.erin, found["follow"])
        self.assertIn(self.erins_work, found["read"])

    def test_whom_they_follow_is_not_to_be_followed(self) -> None:
        self.recommend(self.alice)
        Follow.objects.create(user=self.alice, author=self.erin)
        for found in (self.shown(self.alice), self.recommend(self.alice)):
            self.assertNotIn(self.erin, found["follow"])
            self.assertIn(self.erin, found["collaborate"])


def make_claimed_page(user: User, author: Author) -> None:
    from profiles.models import Claim, Researcher

    Claim.objects.create(user=user, author=author, state=Claim.State.APPROVED, case="It is me.")
    Researcher.objects.create(user=user, author=author)
    Author.objects.filter(pk=author.pk).update(claimed=True)


class NightlyTests(RecommendationsTestCase):
    def test_members_of_the_last_weeks_get_theirs(self) -> None:
        now = timezone.now()
        User.objects.filter(pk=self.alice.pk).update(last_login=now - timedelta(days=59))
        User.objects.filter(pk=self.dora.pk).update(last_login=now - timedelta(days=61))
        self.assertEqual(recommendations.recommend_active(), 1)
        self.assertEqual(set(Recommendation.objects.values_list("user", flat=True)), {self.alice.pk})
        self.assertEqual(recommendations.recommend_active(), 0)  # they are fresh
        Recommendation.objects.update(computed_at=now - timedelta(hours=21))
        self.assertEqual(recommendations.recommend_active(after=self.alice.pk), 0)
        self.assertEqual(recommendations.recommend_active(), 1)

    def test_the_page_asks_a_worker_once_and_then_shows(self) -> None:
        from profiles.tasks import recommend_to

        with self.captureOnCommitCallbacks() as rung:
            first = self.get(self.alice, "/me/recommendations/").content.decode()
            self.get(self.alice, "/me/recommendations/")
        self.assertIn("Your recommendations are being worked out.", first)
        self.assertEqual(len(rung), 1)
        with self.captureOnCommitCallbacks(execute=True):
            self.assertGreater(recommend_to(self.alice.pk), 0)
        self.assertEqual(recommend_to(0), 0)
        page = self.get(self.alice, "/me/recommendations/").content.decode()
        self.assertIn("You both wrote with", page)
        self.assertNotIn("being worked out", page)


class PageTests(RecommendationsTestCase):
    def test_it_works_without_javascript(self) -> None:
        recommendations.recommend(user=self.alice)
        client = client_of(self.alice)
        page = client.get("/me/recommendations/").content.decode()
        action = reverse("profiles:not_interested", args=["author", self.erin.pid])
        self.assertIn(f'action="{action}"', page)
        response = client.post(action, follow=True)
        self.assertRedirects(response, "/me/recommendations/")
        self.assertContains(response, "is not recommended to you again.")
        undo = reverse("profiles:interested", args=["author", self.erin.pid])
        self.assertContains(response, f'action="{undo}"')
        response = client.post(undo, follow=True)
        self.assertNotContains(response, f'action="{undo}"')
        follow = reverse("profiles:follow", args=["author", self.erin.pid])
        response = client.post(follow, {"next": "/me/recommendations/"}, follow=True)
        self.assertRedirects(response, "/me/recommendations/")
        self.assertTrue(Follow.objects.filter(user=self.alice, author=self.erin).exists())

    def test_a_fragment_takes_the_place_of_the_row(self) -> None:
        client = client_of(self.alice)
        row = f"recommended-collaborate-author-{self.erin.pid}"
        path = reverse("profiles:not_interested", args=["author", self.erin.pid])
        response = client.post(path, headers={**HTMX, "HX-Target": row})
        self.assertTemplateUsed(response, "profiles/recommendations/_aside.html")
        self.assertIn(f'<li id="{row}"', response.content.decode())
        odd = client.post(path, headers={**HTMX, "HX-Target": 'a-"><script>-b-c'})
        self.assertNotIn("<script>", odd.content.decode())

    def test_actions_refuse_get_strangers_and_what_does_not_exist(self) -> None:
        for name in ("not_interested", "interested"):
            with self.subTest(name=name):
                path = reverse(f"profiles:{name}", args=["author", self.erin.pid])
                self.assertEqual(self.get(self.alice, path).status_code, 405)
                self.assertIn("/accounts/login/", self.post(None, path)["Location"])
                missing = reverse(f"profiles:{name}", args=["author", "zzzzzzz"])
                self.assertEqual(self.post(self.alice, missing).status_code, 404)
                self.assertEqual(client_of(self.alice, enforce_csrf_checks=True).post(path).status_code, 403)
        self.assertFalse(NotInterested.objects.exists())

    def test_nobody_sees_anothers(self) -> None:
        recommendations.recommend(user=self.alice)
        self.assertEqual(self.shown(self.charlie), {"follow": [], "collaborate": [], "read": []})
        self.assertFalse(access.not_interested(self.charlie).exists())

    def test_the_home_panel_shows_three(self) -> None:
        recommendations.recommend(user=self.alice)
        page = self.get(self.alice, "/me/fragments/recommended/").content.decode()
        self.assertIn("Erin Okafor", page)
        self.assertNotIn("hx-get", page)

    def test_the_number_of_queries_does_not_grow(self) -> None:
        counts = []
        for more in range(2):
            for number in range(6 * more):
                other = make_author(f"Peer {number}")
                make_work(f"Parsing {number}", authors=[other], topics=[self.parsing], year=THIS_YEAR)
            recommendations.recommend(user=self.alice)
            client = client_of(self.alice)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                client.get("/me/recommendations/")
            counts.append(len(queries))
        self.assertEqual(counts[0], counts[1])


class SourcesTests(RecommendationsTestCase):
    """Recommendations read neither trust nor what people write to each other."""

    MODULES = (
        "graph/recommending.py",
        "graph/facts.py",
        "profiles/services/recommendations",
        "profiles/recommended.py",
    )
    BARRED = {"Message", "Conversation", "Participant", "MessageVersion", "Invitation", "Introduction", "Vouch", "Evidence", "TrustScore", "Report"}  # fmt: skip
    TABLES = ("trust_", "profiles_message", "profiles_conversation", "profiles_participant", "profiles_invitation", "profiles_introduction", "profiles_vouch", "profiles_report")  # fmt: skip

    def sources(self) -> list[Path]:
        found = [ROOT / name for name in self.MODULES]
        return [path for one in found for path in ([one] if one.suffix else sorted(one.glob("*.py")))]

    def test_the_code_names_neither(self) -> None:
        self.assertEqual(len(self.sources()), 7)
        wrong = []
        for path in self.sources():
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names: list[str] = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module or "", *(alias.name for alias in node.names)]
                elif isinstance(node, ast.Attribute):
                    names = [node.attr]
                elif (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and node.value.count("\n") == 0
                ):
                    names = node.value.split("__")
                for name in names:
                    if (
                        name.split(".")[0] == "trust"
                        or name in self.BARRED
                        or name.casefold() in self._fields()
                    ):
                        wrong.append(f"{path.name}: {name}")
        self.assertEqual(wrong, [])

    def _fields(self) -> set[str]:
        return {name.casefold() for name in self.BARRED} | {
            "trust_score",
            "messages",
            "conversations",
            "invitations",
        }

    def test_no_query_touches_their_tables(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            recommendations.recommend(user=self.alice)
            recommended.panels(self.alice)
        said = " ".join(query["sql"] for query in queries)
        self.assertIn("works_authorship", said)
        self.assertEqual([table for table in self.TABLES if table in said], [])
