"""The audit trail: nobody changes it, moderators read and download it."""

import csv
import io

from django.db import IntegrityError, connection, transaction
from django.test import Client

from bzpeer.lib.sheets import plain_cell
from profiles.models import AuditEntry, By, Change, ClaimStep, User
from profiles.services import curation, history
from profiles.services.moderation import trail
from tests.factories import PASSWORD, make_user
from tests.profiles.cast import client_of
from tests.profiles.desk import DeskTestCase


class AppendOnlyTests(DeskTestCase):
    def setUp(self) -> None:
        self.clerk = make_user("Clerk")
        self.rows = {
            "profiles_auditentry": history.audit(
                actor=self.clerk, by=By.MODERATOR, action="claim.reject", subject="claim:1", reason="Why"
            ),
            "profiles_claimstep": ClaimStep.objects.create(
                claim=self.claim, from_state="submitted", to_state="in_review", actor=self.clerk
            ),
            "profiles_change": history.record_change(
                kind=Change.Kind.BIO, author=self.bob_author, actor=self.clerk, by=By.OWNER
            ),
        }

    def refused(self, change: object) -> None:
        with self.assertRaisesRegex(IntegrityError, "is append-only"), transaction.atomic():
            change()  # type: ignore[operator]

    def test_no_row_is_changed_or_deleted_by_the_orm(self) -> None:
        for table, row in self.rows.items():
            model = type(row)
            rows = model.objects.filter(pk=row.pk)
            with self.subTest(table=table):
                self.refused(lambda rows=rows: rows.update(reason="Another"))
                self.refused(lambda row=row: (setattr(row, "reason", "Another"), row.save()))
                self.refused(lambda rows=rows: rows.update(actor=self.bob))
                self.refused(lambda rows=rows: rows.update(actor=None, reason="Another"))
                self.refused(lambda rows=rows: rows.delete())
                self.refused(lambda rows=rows: rows._raw_delete(rows.db))

    def test_no_row_is_changed_or_deleted_by_sql(self) -> None:
        for table, row in self.rows.items():
            for sql in ("update {} set reason = 'x' where id = %s", "delete from {} where id = %s"):
                with self.subTest(table=table, sql=sql), connection.cursor() as cursor:
                    self.refused(lambda c=cursor, s=sql, t=table, r=row: c.execute(s.format(t), [r.pk]))

    def test_a_deleted_account_takes_its_name_along_and_nothing_else(self) -> None:
        self.clerk.delete()
        for table, row in self.rows.items():
            with self.subTest(table=table):
                reason = row.reason
                row.refresh_from_db()
                self.assertIsNone(row.actor_id)
                self.assertEqual(row.reason, reason)


class AuditPageTests(DeskTestCase):
    def write(self, count: int = 1, **fields: object) -> None:
        fields = {
            "actor": self.moderator,
            "by": By.MODERATOR,
            "action": "claim.reject",
            "subject": "claim:1",
            **fields,
        }
        for _ in range(count):
            history.audit(**fields)  # type: ignore[arg-type]

    def shown(self, query: str = "") -> list[AuditEntry]:
        return self.get(self.second_moderator, f"/moderation/audit/{query}").context["entries"]

    def test_filters(self) -> None:
        self.write(author=self.bob_author)
        self.write(action="author.merge", subject="author:12", actor=self.second_moderator)
        self.write(action="claim.approve", actor=None, by=By.SYSTEM)
        for query, actions in (
            ("", ["claim.approve", "author.merge", "claim.reject"]),
            ("?action=claim.", ["claim.approve", "claim.reject"]),
            ("?subject=author:12", ["author.merge"]),
            ("?actor=mo+der", ["claim.reject"]),
            (f"?author={self.bob_author.pid}", ["claim.reject"]),
            ("?action=" + "x" * 200, ["claim.approve", "author.merge", "claim.reject"]),
            ("?before=x", ["claim.approve", "author.merge", "claim.reject"]),
        ):
            with self.subTest(query=query):
                self.assertEqual([entry.action for entry in self.shown(query)], actions)

    def test_pages_hold_still_while_entries_are_added(self) -> None:
        self.write(trail.PAGE + 5)
        page = self.get(self.second_moderator, "/moderation/audit/")
        before = page.context["next"]
        self.write(7)
        second = self.shown(f"?before={before}")
        self.assertEqual(len(second), 5)
        self.assertFalse({row.pk for row in second} & {row.pk for row in page.context["entries"]})

    def test_the_download_has_the_same_rows_and_no_formulas(self) -> None:
        self.write(reason='=HYPERLINK("http://evil.example")', author=self.bob_author)
        self.write(action="author.merge", subject="author:1")
        response = self.post(self.second_moderator, "/moderation/audit/download/?action=claim.")
        self.assertEqual(response["Content-Type"], "text/csv; charset=utf-8")
        self.assertIn("attachment", response["Content-Disposition"])
        rows = list(csv.reader(io.StringIO(response.getvalue().decode())))
        self.assertEqual(rows[0], trail.COLUMNS)
        [row] = rows[1:]
        self.assertEqual(row[1:3], ["claim.reject", "claim:1"])
        self.assertEqual(row[6:8], [self.bob_author.pid, '\'=HYPERLINK("http://evil.example")'])
        taken = AuditEntry.objects.get(action="audit.download")
        self.assertEqual((taken.actor, taken.data), (self.second_moderator, {"action": "claim."}))

    def test_cells_that_a_spreadsheet_would_run(self) -> None:
        for text in ("=1", "+1", "-1", "@a", "\ta", "\ra", "\na", "  =1"):
            self.assertEqual(plain_cell(text), f"'{text}")
        for text in ("a=1", "", "1-1", "Ada"):
            self.assertEqual(plain_cell(text), text)
        self.assertEqual(plain_cell(None), "")

    def test_the_download_is_no_link_that_is_followed(self) -> None:
        self.assertEqual(self.get(self.moderator, "/moderation/audit/download/").status_code, 405)


class SpamTests(DeskTestCase):
    def test_everything_by_one_account_is_turned_down_each_with_its_own_line(self) -> None:
        user, filed = self.spammer()
        path = f"/moderation/accounts/{user.pk}/"
        session = client_of(user)
        self.assertEqual(session.get("/me/").status_code, 200)
        page = self.get(self.moderator, path)
        self.assertContains(page, "Claim on Known Person 1")
        picked = [f"claim:{filed[0].pk}", f"claim:{filed[2].pk}", f"claim:{self.claim.pk}"]
        data = {"picked": picked, "reason": "Spam.", "suspend": "on"}
        self.assertContains(self.post(self.moderator, path, data), "Select a valid choice")  # another's claim
        self.post(self.moderator, path, {**data, "picked": picked[:2]})
        for claim in [*filed, self.claim]:
            claim.refresh_from_db()
        self.assertEqual([claim.state for claim in filed], ["rejected", "submitted", "rejected"])
        self.assertEqual(self.claim.state, "submitted")
        user.refresh_from_db()
        self.assertFalse(user.is_active)
        self.assertEqual(session.get("/me/").status_code, 302)
        written = AuditEntry.objects.filter(action="claim.reject", reason="Spam.").values_list(
            "subject", flat=True
        )
        self.assertEqual(set(written), {f"claim:{filed[0].pk}", f"claim:{filed[2].pk}"})
        self.assertEqual(AuditEntry.objects.get(action="member.suspend").subject, f"user:{user.pk}")

    def test_a_closed_account_is_opened_again_and_old_sessions_stay_ended(self) -> None:
        user, _ = self.spammer()
        session = Client()
        session.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        self.assertEqual(session.get("/me/").status_code, 200)
        path = f"/moderation/accounts/{user.pk}/"
        self.post(self.moderator, path, {"reason": "Spam.", "suspend": "on"})
        self.post(self.moderator, f"{path}restore/", {"reason": "A mistake."})
        user.refresh_from_db()
        self.assertTrue(user.is_active)
        self.assertEqual(session.get("/me/").status_code, 302)
        self.assertEqual(client_of(user).get("/me/").status_code, 200)
        self.assertEqual(AuditEntry.objects.get(action="member.restore").reason, "A mistake.")

    def test_one_that_is_refused_holds_up_none_of_the_others(self) -> None:
        user, filed = self.spammer()
        self.decide(self.moderator, filed[0], "reject", "No link.")
        self.post(user, f"/me/claims/{filed[0].pk}/appeal/", {"reason": "Look again."})
        keys = [f"claim:{claim.pk}" for claim in filed]
        page = self.post(
            self.moderator,
            f"/moderation/accounts/{user.pk}/",
            {"picked": keys, "reason": "Spam."},
            follow=True,
        )
        self.assertContains(page, "Turned down: 2.")
        self.assertContains(page, "Somebody else hears the appeal")
        filed[0].refresh_from_db()
        self.assertEqual(filed[0].state, "appealed")

    def test_requests_of_one_address_without_an_account(self) -> None:
        requests = [
            curation.request_curation(
                kind="removal", record=author, email="Spam@example.net", message="Hide it."
            )
            for author in (self.bob_author, self.charlie_author)
        ]
        for request in requests:
            curation.confirm_request(request=request)
        path = f"/moderation/requests/{requests[0].pk}/address/"
        self.assertContains(self.get(self.moderator, path), "Hide it.", count=2)
        keys = [f"request:{request.pk}" for request in requests]
        self.post(self.moderator, path, {"picked": keys, "reason": "Not by the person."})
        self.assertEqual(AuditEntry.objects.filter(action="curation.decline").count(), 2)

    def test_an_address_of_a_member_leads_to_the_account(self) -> None:
        request = curation.request_curation(
            kind="correction", record=self.alice_author, email=self.bob.email, message="Wrong."
        )
        curation.confirm_request(request=request)
        self.assertRedirects(
            self.get(self.moderator, f"/moderation/requests/{request.pk}/address/"),
            f"/moderation/accounts/{self.bob.pk}/",
        )
        self.assertContains(self.get(self.moderator, f"/moderation/accounts/{self.bob.pk}/"), "Wrong.")

    def test_moderators_are_not_closed_from_here_and_nothing_needs_a_pick_or_reason(self) -> None:
        path = f"/moderation/accounts/{self.second_moderator.pk}/"
        self.post(self.moderator, path, {"reason": "x", "suspend": "on"})
        self.assertTrue(User.objects.get(pk=self.second_moderator.pk).is_active)
        user, filed = self.spammer()
        path = f"/moderation/accounts/{user.pk}/"
        self.assertContains(self.post(self.moderator, path, {"reason": "Spam."}), "Pick at least one.")
        page = self.post(self.moderator, path, {"picked": [f"claim:{filed[0].pk}"], "reason": " "})
        self.assertContains(page, "This field is required.")
        self.assertEqual(self.get(self.moderator, f"/moderation/accounts/{2**70}/").status_code, 404)
