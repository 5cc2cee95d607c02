import io
import threading
import zipfile
from datetime import timedelta

from django.db import connection, connections
from django.test import Client, TransactionTestCase
from django.utils import timezone

from profiles.models import AuditEntry, DataExport, Notification, OutgoingMail, User
from profiles.services import data_export
from profiles.tasks import expire_exports, make_exports
from tests.factories import PASSWORD, make_user
from tests.profiles.cast import HTMX, PeopleTestCase, client_of

State = DataExport.State
HOME = "/me/export/"
ASK_AGAIN = f"/accounts/reauthenticate/?next={HOME}"


def fresh_client_of(user: User) -> Client:
    """Return a client in which the member said just now who they are."""
    client = client_of(user)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def note_login(client: Client, user: User, ago: float) -> None:
    """Leave in a client's session what logging in with ORCID leaves there, some seconds ago."""
    session = client.session
    session["account_authentication_methods_user"] = str(user.pk)
    session["account_authentication_methods"] = [
        {"method": "socialaccount", "provider": "orcid", "at": timezone.now().timestamp() - ago}
    ]
    session.save()


class AskingTests(PeopleTestCase):
    def test_it_asks_first_whether_it_is_still_you_and_then_goes_on(self) -> None:
        client = client_of(self.alice)
        self.assertContains(client.get(HOME), "Put my data together")
        response = client.post(HOME)
        self.assertRedirects(response, "/accounts/reauthenticate/?next=%2Fme%2Fexport%2F")
        self.assertFalse(DataExport.objects.exists())
        client.post("/accounts/reauthenticate/?next=/me/export/", {"password": PASSWORD})
        self.assertEqual(DataExport.objects.get().user, self.alice)
        entry = AuditEntry.objects.get(action="account.export")
        self.assertEqual((entry.actor, entry.subject), (self.alice, f"user:{self.alice.pk}"))

    def test_who_has_no_password_logs_in_again(self) -> None:
        self.alice.set_unusable_password()
        self.alice.save()
        client = client_of(self.alice)
        self.assertContains(client.post(HOME), "Log out and in again", status_code=403)
        self.assertFalse(DataExport.objects.exists())
        note_login(client, self.alice, ago=0)
        client.post(HOME)
        self.assertEqual(DataExport.objects.count(), 1)
        note_login(client, self.alice, ago=1000)
        self.assertEqual(client.post(HOME).status_code, 403)

    def test_asking_twice_is_asking_once_and_three_a_day_are_enough(self) -> None:
        client = fresh_client_of(self.alice)
        for _ in range(2):
            client.post(HOME)
        self.assertEqual(DataExport.objects.count(), 1)
        for _ in range(data_export.PER_DAY):
            make_exports()
            response = client.post(HOME, follow=True)
        self.assertContains(response, "Please try again tomorrow")
        self.assertEqual(DataExport.objects.count(), data_export.PER_DAY)

    def test_strangers_are_sent_to_the_log_in_page(self) -> None:
        for response in (self.get(None, HOME), self.post(None, HOME)):
            self.assertEqual(response.status_code, 302)
            self.assertIn("/accounts/login/", response["Location"])


class MakingTests(PeopleTestCase):
    def ask(self, user: User | None = None) -> DataExport:
        return data_export.request_export(user=user or self.alice)

    def test_it_is_made_told_and_fetched_by_its_owner_alone(self) -> None:
        export = self.ask()
        self.assertEqual((make_exports(), make_exports()), (1, 0))
        export.refresh_from_db()
        self.assertEqual(export.state, State.READY)
        self.assertEqual(export.expires_at - export.ready_at, timedelta(days=7))
        notification = Notification.objects.get(recipient=self.alice)
        self.assertEqual((notification.verb, notification.target_url), ("export_ready", HOME))
        mail = OutgoingMail.objects.get(notification=notification)
        self.assertIn("/me/export/\n", mail.body)
        self.assertNotIn(str(export.pk), mail.body)
        path = f"/me/export/{export.pk}/"
        client = fresh_client_of(self.alice)
        self.assertContains(client.get(HOME), path)
        self.assertContains(client.get("/me/notifications/"), "are put together")
        response = client.get(path)
        self.assertIn("no-store", response["Cache-Control"])
        self.assertIn("account.json", zipfile.ZipFile(io.BytesIO(response.content)).namelist())
        self.assertEqual(fresh_client_of(self.bob).get(path).status_code, 404)
        self.assertEqual(self.get(None, path).status_code, 302)

    def test_the_file_is_given_only_after_asking_again(self) -> None:
        export = self.ask()
        make_exports()
        path = f"/me/export/{export.pk}/"
        client = client_of(self.alice)
        response = client.get(path)
        self.assertRedirects(response, f"/accounts/reauthenticate/?next={path.replace('/', '%2F')}")
        response = client.post(response["Location"], {"password": PASSWORD})
        self.assertRedirects(response, path, fetch_redirect_response=False)
        self.assertEqual(client.get(path)["Content-Type"], "application/zip")

    def test_the_page_asks_again_slower_and_slower_and_works_without_scripts(self) -> None:
        self.ask()
        page = self.get(self.alice, HOME)
        self.assertContains(page, "Look again")
        self.assertContains(page, 'hx-trigger="load delay:2s"')
        part = self.get(self.alice, f"{HOME}?look=3", headers={"HX-Request": "true"})
        self.assertContains(part, 'hx-trigger="load delay:8s"')
        self.assertNotContains(part, "<html")
        for look in ("99", "x", "-1", "²", "1" * 5000):
            self.assertEqual(self.get(self.alice, HOME, data={"look": look}, headers=HTMX).status_code, 200)
        self.assertNotContains(self.get(self.alice, f"{HOME}?look=50"), "hx-trigger")

    def test_a_new_one_replaces_the_old_one(self) -> None:
        old = self.ask()
        make_exports()
        self.ask()
        make_exports()
        old.refresh_from_db()
        self.assertEqual((old.state, old.content), (State.EXPIRED, None))
        self.assertEqual(fresh_client_of(self.alice).get(f"/me/export/{old.pk}/").status_code, 404)

    def test_it_is_given_up_after_five_tries_and_holds_nobody_up(self) -> None:
        export = self.ask()
        # Five workers died over it, or ran out of memory: nothing else counts without an answer.
        DataExport.objects.filter(pk=export.pk).update(attempts=data_export.MAX_ATTEMPTS)
        other = self.ask(self.bob)
        self.assertEqual(make_exports(), 1)
        export.refresh_from_db()
        other.refresh_from_db()
        self.assertEqual((export.state, other.state), (State.FAILED, State.READY))
        self.assertContains(self.get(self.alice, HOME), "could not be put together")
        self.ask()
        self.assertEqual(make_exports(), 1)

    def test_a_failure_is_tried_again_later(self) -> None:
        export = self.ask()
        with connection.cursor() as cursor:
            cursor.execute("alter table profiles_photo rename to profiles_photo_away")
        self.assertEqual(make_exports(), 0)
        export.refresh_from_db()
        self.assertEqual(
            (export.state, export.attempts, export.trouble), (State.QUEUED, 1, "ProgrammingError")
        )
        with connection.cursor() as cursor:
            cursor.execute("alter table profiles_photo_away rename to profiles_photo")
        self.assertEqual(make_exports(), 1)
        export.refresh_from_db()
        self.assertEqual((export.state, export.attempts, export.trouble), (State.READY, 2, ""))

    def test_it_is_emptied_after_seven_days_and_forgotten_after_three_months(self) -> None:
        export = self.ask()
        make_exports()
        self.assertEqual(expire_exports(), 0)
        path = f"/me/export/{export.pk}/"
        DataExport.objects.update(expires_at=timezone.now())
        self.assertEqual(fresh_client_of(self.alice).get(path).status_code, 404)  # even before beat comes
        self.assertEqual(expire_exports(), 1)
        export.refresh_from_db()
        self.assertEqual((export.state, export.content), (State.EXPIRED, None))
        self.assertContains(self.get(self.alice, HOME), "is not kept any more")
        DataExport.objects.update(created_at=timezone.now() - timedelta(days=91))
        expire_exports()
        self.assertFalse(DataExport.objects.exists())


class ManyWorkersTests(TransactionTestCase):
    def test_several_workers_make_each_one_once(self) -> None:
        people = [make_user(f"Member {number}") for number in range(6)]
        for user in people:
            data_export.request_export(user=user)
        made: list[int] = []

        def work() -> None:
            made.append(data_export.make_exports())
            connections.close_all()

        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        data_export.make_exports()
        self.assertEqual(set(DataExport.objects.values_list("state", flat=True)), {State.READY})
        self.assertLessEqual(sum(made), len(people))
        self.assertEqual(Notification.objects.count(), len(people))
