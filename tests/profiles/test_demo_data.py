import io

from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from profiles.models import Claim, User
from tests.factories import make_author


@override_settings(LOCAL=True)
class DemoDataTests(TestCase):
    def run_command(self, *args: str) -> str:
        out = io.StringIO()
        call_command("demo_data", *args, stdout=out)
        return out.getvalue()

    def test_people_are_made_once_and_liu_ke_stays_unclaimed(self) -> None:
        liu_ke = make_author("Liu Ke", works_count=9)
        wu = make_author("Carole-Jean Wu", works_count=3)
        for _ in range(2):
            self.run_command("--people")
        self.assertEqual(User.objects.count(), 4)
        self.assertEqual(Claim.objects.get().author, wu)
        for author in (liu_ke, wu):
            author.refresh_from_db()
        self.assertEqual((liu_ke.claimed, wu.claimed, wu.followers_count), (False, True, 1))

    def test_without_her_the_most_prolific_author_but_liu_ke_is_claimed(self) -> None:
        make_author("Liu Ke", works_count=9)
        other = make_author("Udit Gupta", works_count=3)
        self.run_command("--people")
        self.assertEqual(Claim.objects.get().author, other)

    def test_the_logins_of_the_table_work(self) -> None:
        self.run_command("--people")
        rows = [line.split() for line in self.run_command("--logins").splitlines()[1:]]
        self.assertEqual([row[0] for row in rows], ["reader", "researcher", "moderator", "admin"])
        for _, email, password, *_ in rows:
            response = self.client.post("/accounts/login/", {"login": email, "password": password})
            self.assertRedirects(response, "/me/", fetch_redirect_response=False)
            self.client.logout()

    def test_a_public_site_gets_no_known_passwords(self) -> None:
        with override_settings(LOCAL=False):
            for args in ([], ["--logins"], ["--people"]):
                with self.assertRaisesMessage(CommandError, "This site is public"):
                    self.run_command(*args)
        self.assertFalse(User.objects.exists())

    def test_if_empty_leaves_a_filled_site_alone(self) -> None:
        make_author("Somebody")
        self.run_command("--if-empty")
        self.assertFalse(User.objects.exists())
