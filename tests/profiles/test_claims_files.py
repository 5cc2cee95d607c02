"""Files with a written case: few, small, of known kinds, for moderators alone."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import SimpleTestCase

from profiles.models import Claim, ClaimAttachment
from profiles.services import accounts, claims
from profiles.services.claims.attachments import clean_name, kind_of
from tests.profiles.cast import PeopleTestCase, client_of

CASE = "These papers are mine; my address is printed on both."
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n<script>alert(1)</script>"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


class KindTests(SimpleTestCase):
    def test_the_content_says_what_it_is_and_not_the_name(self) -> None:
        for content, kind in (
            (PDF, "application/pdf"),
            (PNG, "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            ("Größe".encode(), "text/plain"),
            (b"line\r\n\tline\x0c", "text/plain"),
            (b"MZ\x90\x00", None),
            (b"PK\x03\x04", None),
            (b"GIF89a\x01\x00", None),
            (b"\xfe\xff\x00a", None),
            (b"\x1b[2J", None),
            ("Größe".encode("latin-1"), None),
        ):
            with self.subTest(content=content):
                self.assertEqual(kind_of(content), kind)

    def test_names_are_cleaned(self) -> None:
        for name, cleaned in (
            ("case.pdf", "case.pdf"),
            ("../../etc/passwd", "passwd.pdf"),
            ("C:\\docs\\letter.PDF", "letter.pdf"),
            ("letter.pdf.exe", "letter.pdf.pdf"),
            ("a\u202efdp.exe", "afdp.pdf"),
            ('x"; filename="y.html', "x_ filename_y.pdf"),
            ("a\r\nSet-Cookie: b", "a Set-Cookie_ b.pdf"),
            ("", "file.pdf"),
            ("....", "file.pdf"),
            ("论文.pdf", "论文.pdf"),
        ):
            with self.subTest(name=name):
                self.assertEqual(clean_name(name, "application/pdf"), cleaned)
        self.assertLessEqual(len(clean_name("x" * 5000, "text/plain")), 200)


class FilesTests(PeopleTestCase):
    def setUp(self) -> None:
        accounts.make_moderator(user=self.moderator)
        self.claim = claims.submit_claim(user=self.bob, author=self.bob_author, case=CASE)
        self.path = self.claim.get_absolute_url()

    def send(self, *files: tuple[str, bytes]) -> object:
        return self.post(
            self.bob,
            f"{self.path}files/",
            {"attachments": [SimpleUploadedFile(name, content) for name, content in files]},
        )

    def stored(self) -> ClaimAttachment:
        return self.claim.attachments.get()

    def desk(self, file: ClaimAttachment, claim: Claim | None = None) -> str:
        return f"/moderation/claims/{(claim or self.claim).pk}/files/{file.pk}/"

    def test_a_file_is_kept_and_listed(self) -> None:
        self.assertRedirects(self.send(("my letter.pdf", PDF)), self.path)
        file = self.stored()
        self.assertEqual(
            (file.name, file.content_type, bytes(file.content), file.size),
            ("my letter.pdf", "application/pdf", PDF, len(PDF)),
        )
        self.assertContains(self.get(self.bob, self.path), "my letter.pdf")

    def test_moderators_fetch_it_as_a_download_that_runs_nothing(self) -> None:
        self.send(("page.html", b"<script>alert(1)</script>"))
        response = self.get(self.moderator, self.desk(self.stored()))
        self.assertEqual(response.content, b"<script>alert(1)</script>")
        self.assertEqual(response["Content-Type"], "text/plain")
        self.assertEqual(response["Content-Disposition"], 'attachment; filename="page.txt"')
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")
        self.assertEqual(response["Content-Security-Policy"], "default-src 'none'; sandbox")
        self.assertIn("no-store", response["Cache-Control"])

    def test_nobody_else_fetches_it(self) -> None:
        self.send(("letter.pdf", PDF))
        for user in (self.bob, self.charlie):
            self.assertEqual(self.get(user, self.desk(self.stored())).status_code, 404)
        self.assertEqual(self.get(None, self.desk(self.stored())).status_code, 302)
        other = claims.submit_claim(user=self.charlie, author=self.charlie_author, case=CASE)
        self.assertEqual(self.get(self.moderator, self.desk(self.stored(), other)).status_code, 404)

    def test_a_moderator_who_claims_the_page_does_not_read_a_rivals_files(self) -> None:
        self.send(("letter.pdf", PDF))
        claims.submit_claim(user=self.moderator, author=self.bob_author, case=CASE)
        self.assertEqual(self.get(self.moderator, self.desk(self.stored())).status_code, 404)

    def test_what_is_not_taken_is_refused_with_a_sentence(self) -> None:
        for files, sentence in (
            ([("a.pdf", b"MZ\x90\x00")], "Send a PDF"),
            ([("a.pdf", b"")], "is empty"),
            ([("a.pdf", b"%PDF-" + bytes(5_000_000))], "5 MB at most"),
            ([(f"{n}.pdf", PDF) for n in range(4)], "3 files at most"),
            ([], "required"),
        ):
            with self.subTest(sentence=sentence):
                self.assertContains(self.send(*files), sentence, status_code=200)
        self.assertFalse(self.claim.attachments.exists())

    def test_a_huge_body_is_refused_before_it_is_read(self) -> None:
        for length in ("20000001", "9" * 30, "-1"):
            response = client_of(self.bob).generic("POST", f"{self.path}files/", b"", CONTENT_LENGTH=length)
            self.assertContains(response, "20 MB", status_code=413)

    def test_three_in_all(self) -> None:
        self.send(("1.pdf", PDF), ("2.png", PNG))
        self.assertContains(self.send(("3.pdf", PDF), ("4.pdf", PDF)), "takes 3 files")
        self.assertEqual(self.claim.attachments.count(), 2)
        self.send(("3.pdf", PDF))
        self.assertEqual(self.claim.attachments.count(), 3)

    def test_it_is_removed_while_the_claim_is_open_and_stays_afterwards(self) -> None:
        self.send(("1.pdf", PDF), ("2.pdf", PDF))
        one, two = self.claim.attachments.order_by("name")
        remove = f"{self.path}remove-file/"
        self.assertEqual(self.post(self.charlie, remove, {"file": one.pk}).status_code, 404)
        self.assertEqual(self.post(self.bob, remove, {"file": "\x00"}).status_code, 404)
        self.assertRedirects(self.post(self.bob, remove, {"file": one.pk}), self.path)
        self.assertEqual(self.stored(), two)
        claims.reject_claim(claim=self.claim, actor=self.moderator, reason="No.")
        self.post(self.bob, remove, {"file": two.pk})
        self.assertEqual(self.stored(), two)
        self.assertRedirects(self.send(("3.pdf", PDF)), self.path)
        self.assertEqual(self.stored(), two)

    def test_files_come_with_the_case(self) -> None:
        path = f"/researchers/{self.charlie_author.pid}/claim/"
        data = {"case": CASE, "attachments": [SimpleUploadedFile("a.txt", b"Dear moderators")]}
        self.post(self.charlie, path, data)
        self.assertEqual(Claim.objects.get(user=self.charlie).attachments.get().name, "a.txt")
        bad = {"case": CASE, "attachments": [SimpleUploadedFile("a.exe", b"MZ\x90\x00")]}
        self.assertContains(self.post(self.dora, path, bad), "a person has one page", status_code=200)
