import threading

from django.db import connection
from django.test import TransactionTestCase

from profiles.exceptions import TooMany
from profiles.models import Follow, User
from profiles.services import follows
from tests.factories import make_author, make_institution, make_topic, make_user
from tests.profiles.cast import HTMX, PeopleTestCase, client_of


class FollowTests(PeopleTestCase):
    def setUp(self) -> None:
        self.path = f"/follow/author/{self.alice_author.pid}/"
        self.undo = f"/unfollow/author/{self.alice_author.pid}/"

    def count(self) -> int:
        self.alice_author.refresh_from_db(fields=["followers_count"])
        self.assertEqual(
            self.alice_author.followers_count, Follow.objects.filter(author=self.alice_author).count()
        )
        return self.alice_author.followers_count

    def test_following_twice_is_following_once(self) -> None:
        for _ in range(2):
            response = self.post(self.bob, self.path)
            self.assertRedirects(response, self.path)
        self.assertEqual(self.count(), 1)

    def test_unfollowing_takes_the_row_and_the_count_back(self) -> None:
        self.post(self.bob, self.path)
        self.post(self.charlie, self.path)
        for _ in range(2):
            self.post(self.bob, self.undo)
        self.assertEqual(self.count(), 1)

    def test_topics_and_institutions_are_followed_too(self) -> None:
        for target in (make_topic(), make_institution()):
            kind = follows.kind_of(target)
            with self.subTest(kind=kind):
                self.post(self.bob, f"/follow/{kind}/{target.pid}/")
                target.refresh_from_db()
                self.assertEqual(target.followers_count, 1)

    def test_get_asks_and_changes_nothing(self) -> None:
        response = self.get(self.bob, self.path)
        self.assertContains(response, "Follow <bdi>Alice Ngata</bdi>?", html=False)
        self.assertContains(response, f'action="{self.path}"')
        self.assertEqual(self.count(), 0)

    def test_with_htmx_the_button_and_the_count_come_back(self) -> None:
        response = self.post(self.bob, self.path, headers=HTMX)
        self.assertTemplateUsed(response, "profiles/_follow_button.html")
        self.assertNotContains(response, "<html")
        self.assertContains(response, f'action="{self.undo}"')
        self.assertContains(response, '<strong id="followers-count" hx-swap-oob="true">1</strong>', html=True)
        response = self.post(self.bob, self.undo, headers=HTMX)
        self.assertContains(response, "Undo: follow again")
        self.assertContains(response, '<strong id="followers-count" hx-swap-oob="true">0</strong>', html=True)

    def test_without_htmx_the_form_leads_back_to_a_page_of_this_site_only(self) -> None:
        response = self.post(self.bob, self.path, {"next": "/me/following/"})
        self.assertRedirects(response, "/me/following/")
        response = self.post(self.bob, self.path, {"next": "https://evil.example/"})
        self.assertRedirects(response, "/me/")

    def test_the_fragment_is_a_link_for_strangers_and_a_form_for_members(self) -> None:
        path = f"/me/fragments/follow/author/{self.alice_author.pid}/"
        stranger, member = self.get(None, path), self.get(self.bob, path)
        self.assertContains(stranger, f'href="{self.path}"')
        self.assertNotContains(stranger, "csrfmiddlewaretoken")
        self.assertContains(member, f'hx-post="{self.path}"')
        for response in (stranger, member):
            self.assertContains(response, 'id="followers-count"')
            self.assertIn("no-store", response["Cache-Control"])

    def test_hidden_and_unknown_records_cannot_be_followed(self) -> None:
        hidden = make_author("Gone Away", suppressed=True)
        for pid in (hidden.pid, "zzzzzzz"):
            self.assertEqual(self.post(self.bob, f"/follow/author/{pid}/").status_code, 404)

    def test_a_merged_record_is_followed_where_it_stands(self) -> None:
        old = make_author("Alice N.", merged_into=self.alice_author)
        self.post(self.bob, f"/follow/author/{old.pid}/")
        self.assertEqual(self.count(), 1)

    def test_a_new_member_follows_a_hundred_a_day(self) -> None:
        authors = [make_author(f"Author {number}") for number in range(follows.FIRST_WEEK_PER_DAY + 1)]
        for author in authors[:-1]:
            follows.follow(follower=self.bob, target=author)
        with self.assertRaises(TooMany):
            follows.follow(follower=self.bob, target=authors[-1])
        response = self.post(self.bob, f"/follow/author/{authors[-1].pid}/")
        self.assertContains(response, "100 records a day")

    def test_the_list_names_what_is_followed_and_to_nobody_else(self) -> None:
        self.post(self.bob, self.path)
        self.assertContains(self.get(self.bob, "/me/following/"), "Alice Ngata")
        self.assertNotContains(self.get(self.charlie, "/me/following/"), "Alice Ngata")

    def test_a_row_of_the_list_can_be_undone_in_place(self) -> None:
        self.post(self.bob, self.path)
        target = f"follow-row-author-{self.alice_author.pid}"
        response = self.post(self.bob, self.undo, headers={**HTMX, "HX-Target": target})
        self.assertTemplateUsed(response, "profiles/_follow_row.html")
        self.assertContains(response, f'id="{target}"')
        self.assertContains(response, "Undo")

    def test_the_list_asks_the_same_number_of_queries_for_one_and_three(self) -> None:
        client = client_of(self.bob)
        for number in (1, 3):
            while Follow.objects.filter(user=self.bob).count() < number:
                follows.follow(follower=self.bob, target=make_author("Somebody"))
            with self.subTest(number=number), self.assertNumQueries(7):
                client.get("/me/following/")


class SimultaneousFollowTests(TransactionTestCase):
    def test_many_at_once_leave_one_row_each_and_an_exact_count(self) -> None:
        author = make_author("Popular Person")
        users = [make_user(f"Fan {number}") for number in range(4)]
        start = threading.Barrier(12)
        errors: list[Exception] = []

        def follow(user: User) -> None:
            try:
                start.wait()
                follows.follow(follower=user, target=author)
            except Exception as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=follow, args=[user]) for user in users for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        author.refresh_from_db()
        self.assertEqual(errors, [])
        self.assertEqual((Follow.objects.count(), author.followers_count), (4, 4))
