"""The claim desk and the queues of /moderation/."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from profiles.models import (
    AnswerTemplate,
    AuditEntry,
    Claim,
    ClaimAttachment,
    ClaimConfirmation,
    CurationRequest,
    Notification,
    Proposal,
    Report,
)
from profiles.services import conversations, curation
from profiles.services.moderation import answers
from profiles.services.moderation.signals import signal_words
from tests.factories import make_author, make_user
from tests.profiles.cast import client_of
from tests.profiles.desk import DeskTestCase, add_evidence, file_claim


class QueueTests(DeskTestCase):
    def test_the_overview_counts_what_waits_and_says_since_when(self) -> None:
        Claim.objects.filter(pk=self.claim.pk).update(created_at=timezone.now() - timedelta(days=3))
        page = self.get(self.moderator, "/moderation/")
        summaries = {queue.key: (count, oldest) for queue, count, oldest in page.context["summaries"]}
        self.assertEqual(summaries["claims"][0], 1)
        self.assertContains(page, "oldest 3\u00a0days")
        self.assertEqual({key for key, (count, _) in summaries.items() if count}, {"claims"})

    def test_each_thing_stands_in_its_queue_and_leaves_it_when_decided(self) -> None:
        request = curation.request_curation(
            kind="correction", record=self.bob_author, email="x@example.org", message="Wrong."
        )
        self.assertNotContains(self.get(self.moderator, "/moderation/queues/requests/"), "Wrong.")
        curation.confirm_request(request=request)
        conversation = self.make_conversation()
        report = conversations.report_conversation(
            conversation=conversation, user=self.alice, reason="This is rude."
        )
        for path, words in (
            ("/moderation/queues/claims/", "Bob Stone"),
            ("/moderation/queues/requests/", "Wrong."),
            ("/moderation/queues/reports/", "This is rude."),
        ):
            self.assertContains(self.get(self.moderator, path), words)
        conversations.close_report(report=report, actor=self.moderator, answer="Talked to both.")
        self.assertNotContains(self.get(self.moderator, "/moderation/queues/reports/"), "This is rude.")
        self.assertContains(
            self.get(self.moderator, "/moderation/queues/reports/?show=decided"), "This is rude."
        )

    def test_claims_are_sorted_and_filtered_as_the_address_says(self) -> None:
        now = timezone.now()
        risky = file_claim(self.charlie, self.charlie_author, risk=80, signals={"mail_class": "disposable"})
        file_claim(self.alice, make_author("Third Page"), risk=10, due_at=now + timedelta(days=1))
        Claim.objects.filter(pk=self.claim.pk).update(created_at=now - timedelta(days=5))

        def order(query: str) -> list[str]:
            page = self.get(self.moderator, f"/moderation/queues/claims/{query}")
            return [row.author.display_name for row in page.context["page"]]

        self.assertEqual(order(""), ["Bob Stone", "Charlie Weiss", "Third Page"])
        self.assertEqual(order("?sort=risk"), ["Charlie Weiss", "Third Page", "Bob Stone"])
        self.assertEqual(order("?sort=due"), ["Third Page", "Bob Stone", "Charlie Weiss"])
        self.assertEqual(order("?sort=newest"), ["Third Page", "Charlie Weiss", "Bob Stone"])
        self.assertEqual(order("?q=WEISS"), ["Charlie Weiss"])
        self.assertEqual(order("?mail=disposable"), ["Charlie Weiss"])
        Claim.objects.filter(pk=risky.pk).update(state="in_review")
        self.assertEqual(order("?kind=in_review"), ["Charlie Weiss"])
        self.assertEqual(
            order("?sort=nonsense&kind=x&mail=x&page=zz"), ["Bob Stone", "Charlie Weiss", "Third Page"]
        )

    def test_a_queue_takes_as_many_queries_for_many_rows_as_for_one(self) -> None:
        client = client_of(self.moderator)
        client.get("/moderation/queues/claims/")
        with CaptureQueriesContext(connection) as one:
            client.get("/moderation/queues/claims/")
        for n in range(3):
            file_claim(make_user(f"More {n}"), make_author(f"Page {n}"))
        with CaptureQueriesContext(connection) as four:
            self.assertEqual(len(client.get("/moderation/queues/claims/").context["page"]), 4)
        self.assertEqual(len(four), len(one))

    def test_signals_are_said_in_words(self) -> None:
        words = signal_words(
            {"mail_class": "public provider", "mail_domain": "gmail.com", "account_days": 1, "hours_to_claim": 0,
             "other_claims": 3, "other_claims_lately": 2, "claims_ended_badly": 1, "page_held": True}
        )  # fmt: skip
        self.assertEqual(
            words,
            [
                "address at a public mail provider (gmail.com)",
                "account 1 day old when filed",
                "claimed within the hour of sign-up",
                "3 other claims by this account, 2 in 30 days",
                "1 claim of theirs turned down before",
                "somebody else holds the page",
            ],
        )
        self.assertEqual(signal_words({}), [])
        self.assertEqual(signal_words({"mail_class": 7, "other_claims": "many"}), [])


class ClaimDeskTests(DeskTestCase):
    def test_the_case_and_the_record_stand_on_one_page(self) -> None:
        page = self.get(self.moderator, f"/moderation/claims/{self.claim.pk}/")
        self.assertContains(page, "It is me, Bob Stone.")
        self.assertContains(page, "On working together")
        self.assertContains(page, 'value="accept"')

    def test_evidence_of_rivals_stands_side_by_side(self) -> None:
        rival = file_claim(self.charlie, self.bob_author)
        withdrawn = file_claim(self.alice, self.bob_author, state="withdrawn")
        add_evidence(self.claim, "not_met", "Nothing yet.")
        add_evidence(self.claim, "met", "stone.example belongs to one.", detail={"domain": "stone.example"})
        add_evidence(rival, "against", "Left ten years ago.")
        add_evidence(rival, "met", "ORCID fits.", route="orcid", check_name="names")
        add_evidence(withdrawn, "met", "Not shown any more.")
        page = self.get(self.moderator, f"/moderation/claims/{self.claim.pk}/")
        self.assertEqual([side.claim for side in page.context["sides"]], [self.claim, rival])
        routes = {route.label: route.rows for route in page.context["routes"]}
        [address] = routes["Address at the institution"]
        self.assertEqual([cell.newest.sentence for cell in address.cells],
                         ["stone.example belongs to one.", "Left ten years ago."])  # fmt: skip
        self.assertEqual(address.cells[0].earlier, 1)
        self.assertEqual(address.cells[0].detail, [("Domain", "stone.example")])
        [names] = routes["ORCID"]
        self.assertIsNone(names.cells[0])
        self.assertNotContains(page, "Not shown any more.")

    def test_what_coauthors_answered_is_shown(self) -> None:
        ClaimConfirmation.objects.create(
            claim=self.claim,
            asked=self.alice,
            author=self.alice_author,
            state="denied",
            note="I never met him.",
        )
        self.assertContains(
            self.get(self.moderator, f"/moderation/claims/{self.claim.pk}/"), "I never met him."
        )

    def test_accepting_and_rejecting(self) -> None:
        self.assertRedirects(
            self.decide(self.moderator, self.claim, "reject", "No link."),
            f"/moderation/claims/{self.claim.pk}/",
        )
        self.assertEqual(self.claim.state, "rejected")
        self.assertEqual(self.claim.steps.last().reason, "No link.")
        appealed = file_claim(self.charlie, self.charlie_author, state="appealed")
        self.decide(self.second_moderator, appealed, "accept", "The link is there.")
        self.assertEqual(appealed.state, "approved")

    def test_every_step_but_taking_into_review_has_a_reason_and_what_was_typed_stays(self) -> None:
        for decision in ("accept", "reject"):
            page = self.decide(self.moderator, self.claim, decision, " ")
            self.assertContains(page, "Write the reason first")
            self.assertEqual(self.claim.state, "submitted")
        page = self.decide(self.moderator, self.claim, "nonsense", "A long reason.")
        self.assertContains(page, "Choose a decision.")
        self.assertContains(page, "A long reason.")
        self.decide(self.moderator, self.claim, "review", "")
        self.assertEqual(self.claim.state, "in_review")

    def test_nobody_decides_their_own_claim(self) -> None:
        own = file_claim(self.moderator, make_author("Mo Derator"))
        page = self.get(self.moderator, f"/moderation/claims/{own.pk}/")
        self.assertContains(page, "This claim is yours: another moderator decides it.")
        self.assertNotContains(page, 'value="accept"')
        self.decide(self.moderator, own, "accept")
        self.assertEqual(own.state, "submitted")

    def test_another_moderator_hears_an_appeal(self) -> None:
        self.decide(self.moderator, self.claim, "reject", "No link.")
        self.post(
            self.bob, f"/me/claims/{self.claim.pk}/appeal/", {"reason": "Look at the page of the department."}
        )
        self.claim.refresh_from_db()
        self.assertEqual(self.claim.state, "appealed")
        page = self.get(self.moderator, f"/moderation/claims/{self.claim.pk}/")
        self.assertContains(page, "another moderator hears it")
        self.decide(self.moderator, self.claim, "accept")
        self.assertEqual(self.claim.state, "appealed")
        self.decide(self.second_moderator, self.claim, "accept")
        self.assertEqual(self.claim.state, "approved")

    def test_a_second_acceptance_is_a_clear_error_and_keeps_the_reason(self) -> None:
        second = file_claim(self.charlie, self.bob_author)
        self.decide(self.moderator, self.claim, "accept")
        page = self.decide(self.moderator, second, "accept", "Looks right")
        self.assertEqual(second.state, "submitted")
        self.assertContains(page, "Looks right")
        self.assertContains(page, 'role="alert"')

    def test_the_next_claim_is_one_link_away(self) -> None:
        later = file_claim(self.charlie, self.charlie_author)
        page = self.get(self.moderator, f"/moderation/claims/{self.claim.pk}/")
        self.assertEqual(page.context["next"], later)
        self.assertContains(page, f'href="/moderation/claims/{later.pk}/"')

    def test_moderators_find_the_desk_and_members_do_not(self) -> None:
        self.assertContains(self.get(self.moderator, "/me/"), 'href="/moderation/">Moderation</a>')
        self.assertNotContains(self.get(self.bob, "/me/"), "/moderation/")


class AnswerTests(DeskTestCase):
    def test_the_usual_answers_are_offered_and_filled_in(self) -> None:
        page = self.get(
            self.moderator,
            f"/moderation/claims/{self.claim.pk}/",
            query_params={"answer": answers.USUAL[0].title},
        )
        self.assertContains(page, "Dear Bob Stone, the evidence and the record of Bob Stone fit together.")

    def test_answers_are_kept_added_edited_and_deleted(self) -> None:
        client = client_of(self.moderator)
        client.post("/moderation/answers/usual/")
        self.assertEqual(AnswerTemplate.objects.count(), len(answers.USUAL))
        page = client.post("/moderation/answers/", {"title": "spam", "body": "Twice the same title"})
        self.assertContains(page, "Another answer has this title.")
        client.post("/moderation/answers/", {"title": "Short", "body": "No, {name}."})
        template = AnswerTemplate.objects.get(title="Short")
        client.post(f"/moderation/answers/{template.pk}/", {"title": "Shorter", "body": "No."})
        template.refresh_from_db()
        self.assertEqual((template.title, template.body), ("Shorter", "No."))
        client.post(f"/moderation/answers/{template.pk}/delete/")
        self.assertFalse(AnswerTemplate.objects.filter(pk=template.pk).exists())
        written = (
            AuditEntry.objects.filter(action__startswith="answer.")
            .order_by("pk")
            .values_list("action", flat=True)
        )
        self.assertEqual(list(written), ["answer.keep_usual", "answer.save", "answer.save", "answer.delete"])


class RequestAndReportTests(DeskTestCase):
    def test_requests_are_decided_and_unconfirmed_ones_are_nobodys(self) -> None:
        request = curation.request_curation(
            kind="removal", record=self.bob_author, email="x@example.org", message="Please."
        )
        path = f"/moderation/requests/{request.pk}/"
        self.assertEqual(self.get(self.moderator, path).status_code, 404)
        curation.confirm_request(request=request)
        self.assertContains(self.get(self.moderator, path), "Please.")
        page = self.post(self.moderator, f"{path}decide/", {"decision": "hide", "reason": ""})
        self.assertContains(page, "Write this first.")
        self.post(self.moderator, f"{path}decide/", {"decision": "hide", "reason": "Your page is hidden."})
        self.bob_author.refresh_from_db()
        self.assertTrue(self.bob_author.suppressed)
        self.assertEqual(CurationRequest.objects.get().decided_by, self.moderator)
        self.post(self.moderator, f"{path}decide/", {"decision": "show"})
        self.bob_author.refresh_from_db()
        self.assertFalse(self.bob_author.suppressed)
        self.assertEqual(
            set(AuditEntry.objects.values_list("action", flat=True)),
            {"curation.done", "author.hide", "author.show"},
        )

    def test_moderators_read_reported_conversations_up_to_the_report_only(self) -> None:
        conversation = self.make_conversation()
        self.say(conversation, self.dora, "Something rude")
        self.assertEqual(self.get(self.moderator, conversation.get_absolute_url()).status_code, 404)
        report = conversations.report_conversation(
            conversation=conversation, user=self.alice, reason="This is rude."
        )
        note = Notification.objects.get(recipient=self.moderator, verb="conversation_reported")
        path = f"/moderation/reports/{report.pk}/"
        self.assertEqual(note.target_url, path)
        self.say(conversation, self.dora, "Afterwards")
        self.assertContains(self.get(self.moderator, path), "Something rude")
        self.assertNotContains(self.get(self.moderator, path), "Afterwards")
        dora = client_of(self.dora)
        self.assertEqual(dora.get("/me/").status_code, 200)
        self.post(self.moderator, f"{path}decide/", {"decision": "suspend", "reason": "Rude again."})
        self.dora.refresh_from_db()
        self.assertFalse(self.dora.is_active)
        self.assertEqual(dora.get("/me/").status_code, 302)
        self.assertEqual(Report.objects.get().state, "done")
        note.refresh_from_db()
        self.assertIsNotNone(note.read_at)
        self.assertEqual(
            list(AuditEntry.objects.order_by("pk").values_list("action", "reason")),
            [("report.close", "Rude again."), ("member.suspend", "Rude again.")],
        )


class ProposalTests(DeskTestCase):
    def test_proposals_of_every_kind_lead_to_the_page_that_decides_them(self) -> None:
        merge = Proposal.objects.create(
            kind="merge", proposer=self.alice, by="owner", author=self.alice_author, other=self.bob_author,
            reason="Both are me.",
        )  # fmt: skip
        claim = self.make_disputed()
        self.decide(self.moderator, claim, "propose")
        page = self.get(self.second_moderator, "/moderation/queues/proposals/")
        self.assertContains(page, f'href="/moderation/proposals/{merge.pk}/"')
        self.assertContains(page, f'href="/moderation/claims/{claim.pk}/"')
        page = self.get(self.second_moderator, "/moderation/queues/proposals/?kind=merge")
        self.assertEqual(list(page.context["page"]), [merge])

    def test_files_of_a_case_are_linked(self) -> None:
        file = ClaimAttachment.objects.create(
            claim=self.claim, name="letter.pdf", content_type="application/pdf", content=b"%PDF-", size=5
        )
        page = self.get(self.moderator, f"/moderation/claims/{self.claim.pk}/")
        self.assertContains(page, f'href="/moderation/claims/{self.claim.pk}/files/{file.pk}/"')
