from contextlib import suppress

from django.db import OperationalError, connection
from django.test import TestCase, TransactionTestCase

from tests.factories import PASSWORD, make_author, make_user
from works.models import Author


class HeadersTests(TestCase):
    def test_every_answer_says_what_it_may_do(self) -> None:
        for path in ("/", "/healthz", "/accounts/login/", "/nowhere"):
            headers = self.client.get(path).headers
            self.assertIn("camera=()", headers["Permissions-Policy"])
            self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")

    def test_what_no_view_calls_public_is_private(self) -> None:
        user = make_user("Reader")
        self.client.login(email=user.email, password=PASSWORD)
        self.assertEqual(self.client.get("/accounts/email/").headers["Cache-Control"], "private, no-store")
        self.assertIn("public", self.client.get("/privacy/").headers["Cache-Control"])

    def test_a_nul_in_the_address_is_refused(self) -> None:
        self.assertEqual(self.client.get("/search?q=%00").status_code, 400)


class DatabaseAwayTests(TransactionTestCase):
    def cut(self) -> None:
        """Break the connection as a restart of the server does."""
        with connection.cursor() as cursor, suppress(OperationalError):
            cursor.execute("select pg_terminate_backend(pg_backend_pid())")

    def test_a_read_is_tried_again(self) -> None:
        author = make_author("Ada Smith")
        self.cut()
        response = self.client.get(author.get_absolute_url())
        self.assertEqual((response.status_code, b"Ada Smith" in response.content), (200, True))

    def test_a_write_is_asked_to_come_again(self) -> None:
        user, author = make_user("Reader"), make_author("Ada Smith")
        self.client.login(email=user.email, password=PASSWORD)
        self.cut()
        response = self.client.post(f"/follow/author/{author.pid}/")
        self.assertEqual((response.status_code, response.headers["Retry-After"]), (503, "5"))
        self.assertEqual(Author.objects.get().followers_count, 0)

    def test_a_read_past_its_time_is_asked_to_come_again(self) -> None:
        author = make_author("Ada Smith")
        with connection.cursor() as cursor:
            cursor.execute("set statement_timeout = '200ms'")
            try:
                cursor.execute("select pg_advisory_lock(1)")
                response = self.locked_get(author)
            finally:
                cursor.execute("reset statement_timeout")
                cursor.execute("select pg_advisory_unlock(1)")
        self.assertEqual((response.status_code, response.headers["Retry-After"]), (503, "5"))

    def locked_get(self, author: Author):
        """Ask for a page whose row another connection holds."""
        import psycopg

        settings = connection.get_connection_params()
        arguments = {
            key: settings[key] for key in ("host", "port", "user", "password", "dbname") if settings.get(key)
        }
        with psycopg.connect(**arguments) as other:
            other.execute("lock table works_author in access exclusive mode")
            response = self.client.get(author.get_absolute_url())
            other.rollback()
        return response
