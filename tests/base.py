"""The cast: alice has a claimed author, bob is her coauthor, charlie is a stranger."""

from django.test import TestCase

from tests.factories import make_author, make_claimed, make_user, make_work


class CastTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        alice = make_claimed("Alice Ngata")
        cls.alice, cls.alice_author = alice.user, alice.author
        cls.bob = make_user("Bob Stone")
        cls.bob_author = make_author("Bob Stone")
        cls.charlie = make_user("Charlie Weiss")
        cls.charlie_author = make_author("Charlie Weiss")
        cls.moderator = make_user("Mo Derator", is_staff=True)
        cls.joint_work = make_work("On working together", authors=[cls.alice_author, cls.bob_author])
