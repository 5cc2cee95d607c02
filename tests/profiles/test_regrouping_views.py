"""The pages of joining and dividing: looked at before, done by moderators, proposed by owners, hidden from others."""

from typing import Any

from django.urls import reverse

from profiles.models import Change, Claim, Proposal, User
from profiles.services import accounts, regrouping
from tests.factories import make_author, make_work
from tests.profiles.cast import PeopleTestCase
from tests.works.regrouped import bring, paper, work_of
from works.models import Author, Authorship, SourceRecord

WHY = "The same person under two spellings."
HOSTILE = ("\x00", "%00", "../../etc", "x" * 5000, "-1", "🦆", "<script>")


class PagesTestCase(PeopleTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        accounts.make_moderator(user=cls.moderator)
        accounts.make_moderator(user=cls.second_moderator)
        cls.twin = make_author("Alicia Ngata")
        cls.mine = make_work("On bridges", authors=[cls.twin])
        cls.second = make_work("On tunnels", authors=[cls.alice_author])
        bring(paper(1, "Alice Ngata", "Ann Lee"), paper(2, "Alice Ngata", "Ann Lee"))
        cls.one, cls.two = work_of(1), work_of(2)
        Authorship.objects.filter(work=cls.one, index=0).update(author=cls.alice_author)
        cls.merge_url = reverse("profiles:merge_author", args=[cls.alice_author.pid])
        cls.split_url = reverse("profiles:split_author", args=[cls.alice_author.pid])
        cls.works_url = reverse("profiles:merge_work", args=[cls.one.pid])
        cls.work_url = reverse("profiles:split_work", args=[cls.one.pid])

    def author(self, author: Author) -> Author:
        return Author.objects.get(pk=author.pk)

    def propose(self) -> Proposal:
        return regrouping.propose(user=self.alice, kind=Proposal.Kind.MERGE, other=self.twin, reason=WHY)

    def text(self, user: User | None, path: str, data: dict[str, Any] | None = None) -> str:
        response = self.get(user, path, data=data or {})
        self.assertEqual(response.status_code, 200, path)
        return response.content.decode()


class DoorTests(PagesTestCase):
    def test_who_may_not_finds_nothing(self) -> None:
        for url in (self.merge_url, self.split_url, self.works_url, self.work_url):
            self.assertEqual(self.get(None, url).status_code, 302)
            for user in (self.bob, self.dora):
                for response in (
                    self.get(user, url),
                    self.post(user, url, {"other": self.twin.pid, "reason": WHY}),
                ):
                    self.assertEqual(response.status_code, 404, (user, url))
            for user in (self.alice, self.moderator):
                response = self.get(user, url)
                self.assertEqual(response.status_code, 200, (user, url))
                self.assertIn("no-store", response["Cache-Control"])
        self.assertFalse(Proposal.objects.exists() or Change.objects.exists())

    def test_proposals_and_undo_are_not_for_everybody(self) -> None:
        proposal = self.propose()
        change = regrouping.accept(proposal=proposal, actor=self.moderator)
        for user, desk, own, undo in (
            (self.bob, 404, 404, 404), (self.dora, 404, 404, 404), (self.alice, 404, 200, 200), (self.moderator, 200, 404, 200),
        ):  # fmt: skip
            self.assertEqual(
                self.get(user, reverse("profiles:proposal", args=[proposal.pk])).status_code, desk
            )
            self.assertEqual(
                self.get(user, reverse("profiles:own_proposal", args=[proposal.pk])).status_code, own
            )
            self.assertEqual(
                self.get(user, reverse("profiles:undo_change", args=[change.pk])).status_code, undo
            )
        self.assertEqual(self.get(self.bob, reverse("profiles:own_proposals")).status_code, 200)
        self.assertNotIn("Join two researchers", self.text(self.bob, reverse("profiles:own_proposals")))

    def test_a_dispute_closes_the_owners_door_to_proposing(self) -> None:
        Claim.objects.filter(user=self.alice).update(state=Claim.State.DISPUTED)
        response = self.post(self.alice, self.merge_url, {"other": self.twin.pid, "reason": WHY})
        self.assertContains(response, "Your claim is disputed")
        self.assertFalse(Proposal.objects.exists())

    def test_hostile_input_is_answered(self) -> None:
        for text in HOSTILE:
            for url in (self.merge_url, self.works_url):
                for field in ("q", "other"):
                    self.assertIn(
                        self.get(self.moderator, url, data={field: text}).status_code, {200, 400, 404}
                    )
                self.assertIn(
                    self.post(self.moderator, url, {"other": text, "reason": text}).status_code, {200, 404}
                )
            self.assertEqual(
                self.post(
                    self.moderator, self.split_url, {"works": text, "name": text, "reason": text}
                ).status_code,
                200,
            )
            self.assertEqual(
                self.post(self.moderator, self.work_url, {"records": text, "reason": text}).status_code, 200
            )
        self.assertFalse(Change.objects.exists())


class MergePageTests(PagesTestCase):
    def test_the_other_is_found_by_name_address_and_identifier(self) -> None:
        self.twin.identifiers.create(scheme="orcid", value="0000-0002-1825-0097")
        for text in (
            f"https://example.org{self.twin.get_absolute_url()}",
            self.twin.pid,
            "0000-0002-1825-0097",
        ):
            page = self.text(self.moderator, self.merge_url, {"q": text})
            self.assertIn(f"?other={self.twin.pid}", page)
        self.assertIn(
            "Nobody else here is found", self.text(self.moderator, self.merge_url, {"q": "Nobody Atall"})
        )

    def test_both_are_looked_at_before_anything_happens(self) -> None:
        page = self.text(self.moderator, self.merge_url, {"other": self.twin.pid})
        for words in (
            "Are these two one person?",
            "On bridges",
            "On tunnels",
            "No work names both.",
            "Join the two pages",
        ):
            self.assertIn(words, page)
        self.assertFalse(Change.objects.exists())

    def test_a_moderator_joins_and_lands_on_the_page_that_stands(self) -> None:
        url = reverse("profiles:merge_author", args=[self.twin.pid])  # asked from the page that ends
        response = self.post(self.moderator, url, {"other": self.alice_author.pid, "reason": WHY})
        self.assertRedirects(response, self.alice_author.get_absolute_url(), fetch_redirect_response=False)
        self.assertEqual(self.author(self.twin).merged_into, self.alice_author)
        self.assertEqual(self.get(None, self.twin.get_absolute_url()).status_code, 301)

    def test_an_owner_proposes_and_nothing_happens_yet(self) -> None:
        response = self.post(self.alice, self.merge_url, {"other": self.twin.pid, "reason": WHY})
        proposal = Proposal.objects.get()
        self.assertRedirects(response, reverse("profiles:own_proposal", args=[proposal.pk]))
        self.assertEqual((proposal.kind, proposal.other), ("merge", self.twin))
        self.assertIsNone(self.author(self.twin).merged_into)

    def test_a_refusal_names_the_works(self) -> None:
        page = self.text(self.moderator, self.merge_url, {"other": self.bob_author.pid})
        self.assertIn("Both stand on the author list of", page)
        self.assertIn("On working together", page)
        self.assertNotIn("Join the two pages", page)
        response = self.post(self.moderator, self.merge_url, {"other": self.bob_author.pid, "reason": WHY})
        self.assertContains(response, "so they are two people")
        self.assertIsNone(self.author(self.bob_author).merged_into)

    def test_the_reason_is_asked_for(self) -> None:
        response = self.post(self.moderator, self.merge_url, {"other": self.twin.pid, "reason": ""})
        self.assertContains(response, "This field is required")
        self.assertFalse(Change.objects.exists())


class SplitPageTests(PagesTestCase):
    def test_works_stand_in_groups_and_looking_writes_nothing(self) -> None:
        page = self.text(self.moderator, self.split_url)
        self.assertIn("With <bdi>Bob Stone</bdi>", page)
        response = self.post(self.moderator, self.split_url, {"works": [self.second.pid], "look": "1"})
        self.assertContains(response, "<strong>1 work</strong> goes to the new page, 2 stay here")
        self.assertContains(response, 'value="Alice Ngata"')
        self.assertContains(response, "The person who holds this page goes with the new one")
        self.assertContains(
            self.post(self.moderator, self.split_url, {"look": "1"}), "Tick the works that go to the new page"
        )
        self.assertFalse(Change.objects.exists())

    def test_a_moderator_divides_and_lands_on_the_new_page(self) -> None:
        data = {"works": [self.second.pid], "name": "Alice B. Ngata", "reason": WHY}
        response = self.post(self.moderator, self.split_url, data)
        new = Authorship.objects.get(work=self.second).author
        assert new
        self.assertRedirects(response, new.get_absolute_url(), fetch_redirect_response=False)
        self.assertEqual(new.display_name, "Alice B. Ngata")
        self.assertTrue(self.author(self.alice_author).claimed)

    def test_an_owner_proposes_and_cannot_take_the_claim_along(self) -> None:
        self.assertNotIn("person_goes", self.text(self.alice, self.split_url))
        data = {"works": [self.second.pid], "name": "Alice B.", "reason": WHY, "person_goes": "on"}
        self.post(self.alice, self.split_url, data)
        proposal = Proposal.objects.get()
        self.assertEqual(proposal.data, {"works": [self.second.pid], "name": "Alice B."})
        page = self.text(self.moderator, reverse("profiles:proposal", args=[proposal.pk]))
        self.assertIn("On tunnels", page)

    def test_others_works_cannot_be_ticked(self) -> None:
        data = {"works": [self.mine.pid], "name": "Alice B.", "reason": WHY}
        self.assertContains(self.post(self.moderator, self.split_url, data), "Tick the works")
        self.assertFalse(Change.objects.exists())


class WorkPageTests(PagesTestCase):
    def test_works_are_found_looked_at_and_joined(self) -> None:
        page = self.text(self.moderator, self.works_url, {"q": f"/works/{self.two.pid}/"})
        self.assertIn(f"?other={self.two.pid}", page)
        page = self.text(self.moderator, self.works_url, {"other": self.two.pid})
        self.assertIn("Are these two one work?", page)
        self.post(self.moderator, self.works_url, {"other": self.two.pid, "reason": WHY})
        self.assertEqual(work_of(2), self.one)
        self.assertEqual(self.get(None, self.two.get_absolute_url()).status_code, 301)
        page = self.text(self.moderator, self.work_url)
        self.assertIn("openalex:W2", page)
        self.post(self.moderator, self.work_url, {"records": ["openalex:W2"], "reason": WHY})
        self.assertNotEqual(work_of(2), self.one)
        self.assertEqual(
            list(Change.objects.order_by("at").values_list("kind", flat=True)), ["works_merged", "work_split"]
        )

    def test_a_work_of_one_record_is_not_divided(self) -> None:
        self.assertIn("there is nothing to divide", self.text(self.moderator, self.work_url))
        response = self.post(self.moderator, self.work_url, {"records": ["openalex:W1"], "reason": WHY})
        self.assertEqual(response.status_code, 200)
        self.assertEqual(SourceRecord.objects.get(record_id="W1").work, self.one)

    def test_an_owner_proposes_for_a_work_of_theirs(self) -> None:
        self.post(self.alice, self.works_url, {"other": self.two.pid, "reason": WHY})
        proposal = Proposal.objects.get()
        self.assertEqual(proposal.data, {"work": self.one.pid, "other": self.two.pid})
        self.assertEqual(work_of(2), self.two)
        page = self.text(self.moderator, reverse("profiles:proposal", args=[proposal.pk]))
        self.assertIn("openalex", page.lower())


class ProposalPageTests(PagesTestCase):
    def test_a_moderator_accepts(self) -> None:
        proposal = self.propose()
        url = reverse("profiles:proposal", args=[proposal.pk])
        page = self.text(self.moderator, url)
        for words in (WHY, "On bridges", "Accept: do it"):
            self.assertIn(words, page)
        self.post(self.moderator, url, {"accept": "1", "answer": ""})
        self.assertEqual(self.author(self.twin).merged_into, self.alice_author)
        self.assertIn(
            "Take it back", self.text(self.alice, reverse("profiles:own_proposal", args=[proposal.pk]))
        )
        self.assertContains(self.post(self.moderator, url, {"accept": "1"}), "by now")

    def test_a_moderator_declines_with_a_reason(self) -> None:
        proposal = self.propose()
        url = reverse("profiles:proposal", args=[proposal.pk])
        self.assertContains(self.post(self.moderator, url, {"decline": "1"}), "Give the reason")
        self.post(self.moderator, url, {"decline": "1", "answer": "Two people."})
        page = self.text(self.alice, reverse("profiles:own_proposal", args=[proposal.pk]))
        self.assertIn("Two people.", page)

    def test_the_proposer_withdraws(self) -> None:
        proposal = self.propose()
        url = reverse("profiles:withdraw_proposal", args=[proposal.pk])
        self.assertEqual(self.get(self.alice, url).status_code, 405)
        self.assertEqual(self.post(self.dora, url).status_code, 404)
        self.post(self.alice, url)
        proposal.refresh_from_db()
        self.assertEqual(proposal.state, "withdrawn")

    def test_what_cannot_be_done_any_more_is_said(self) -> None:
        proposal = self.propose()
        regrouping.merge(author=self.dora_author, other=self.twin, actor=self.moderator, reason=WHY)
        response = self.post(
            self.moderator, reverse("profiles:proposal", args=[proposal.pk]), {"accept": "1"}
        )
        self.assertContains(response, "was joined with another already")


class UndoPageTests(PagesTestCase):
    def test_taking_back_and_taking_that_back(self) -> None:
        change = regrouping.merge(author=self.alice_author, other=self.twin, actor=self.moderator, reason=WHY)
        url = reverse("profiles:undo_change", args=[change.pk])
        self.assertIn("Take this back?", self.text(self.moderator, url))
        self.post(self.moderator, url, {"reason": "Two people."})
        self.assertIsNone(self.author(self.twin).merged_into)
        self.assertIn("This was taken back on", self.text(self.moderator, url))
        self.assertContains(self.post(self.moderator, url), "taken back already")
        undone = Change.objects.get(undoes=change)
        again = reverse("profiles:undo_change", args=[undone.pk])
        self.assertIn("Let it stand again?", self.text(self.moderator, again))
        self.post(self.moderator, again)
        self.assertEqual(self.author(self.twin).merged_into, self.alice_author)
