"""A table of members as CSV: what each row names, and what is asserted after the preview."""

import csv
import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from profiles.exceptions import RepresentativeError
from profiles.models import Assertion
from profiles.services.representatives import sheet
from profiles.services.representatives.sheet import Status
from tests.factories import make_author, make_work
from tests.profiles.test_representatives import InstitutionTestCase
from trust.models import Evidence
from works.models import Affiliation, Author, AuthorIdentifier, Redirect

HEAD = "name,orcid,role,since\n"


class SheetTests(InstitutionTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        AuthorIdentifier.objects.create(author=cls.dora_author, scheme="orcid", value="0000-0002-1825-0097")

    def rows(self, text: str | bytes) -> list[sheet.Row]:
        rows = sheet.read_rows(text.encode() if isinstance(text, str) else text)
        sheet.match(rows, self.rita_standing)
        return rows

    def one(self, line: str) -> sheet.Row:
        [row] = self.rows(HEAD + line)
        return row

    def upload(self, content: bytes, **options: Any) -> Any:
        upload = SimpleUploadedFile("members.csv", content, content_type="text/csv")
        return self.post(self.rita, f"{self.home}sheet/", {"sheet": upload}, **options)

    # --- What a row names

    def test_by_orcid_however_it_is_written(self) -> None:
        for ident in ("0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097", "0000000218250097"):
            row = self.one(f"Dora Lund,{ident},Professor,2019")
            self.assertEqual(
                (row.status, row.author, row.role), (Status.FOUND, self.dora_author, "Professor")
            )
            self.assertEqual(row.note, "No work here names the institution beside this researcher yet.")
        self.assertEqual(self.one("Dora Lund,0000-0002-1825-0098,,").status, Status.UNKNOWN)

    def test_by_address_and_through_merges_and_redirects(self) -> None:
        merged = make_author("A. Ngata", merged_into=self.alice_author)
        Redirect.objects.create(kind="author", old_pid="zzzzzzz", new_pid=self.alice_author.pid)
        for ident in (
            self.alice_author.pid,
            f"https://bzpeer.example{self.alice_author.get_absolute_url()}",
            f"/researchers/{merged.pid}/a-ngata/",
            "zzzzzzz",
        ):
            with self.subTest(ident=ident):
                row = self.one(f",{ident},,")
                self.assertEqual((row.status, row.author), (Status.FOUND, self.alice_author))

    def test_by_name_among_those_affiliated_here(self) -> None:
        row = self.one('"Ngata, Alice",,,')
        self.assertEqual(
            (row.status, row.author, row.note), (Status.FOUND, self.alice_author, "By the name alone.")
        )
        self.assertEqual(self.one("Dora Lund,,,").status, Status.UNKNOWN)
        namesake = make_author("Alice Ngata")
        make_work("Too", authors=[namesake], institution=self.university)
        row = self.one("Alice Ngata,,,")
        self.assertEqual((row.status, set(row.others)), (Status.AMBIGUOUS, {self.alice_author, namesake}))

    def test_a_name_that_does_not_fit_the_identifier_is_not_certain(self) -> None:
        row = self.one("Karl Other,0000-0002-1825-0097,,")
        self.assertEqual((row.status, row.author), (Status.AMBIGUOUS, self.dora_author))
        self.assertEqual(sheet.members_of([row]), [])

    def test_rows_that_are_known_twice_hidden_own_or_mistaken(self) -> None:
        self.assert_member()
        hidden = make_author("Hid Den", suppressed=True)
        text = (
            f",{self.alice_author.pid},,\n,{self.bob_author.pid},,\n,{self.bob_author.pid},,\n,{hidden.pid},,\n"
            f",,Professor,\n,{self.dora_author.pid},,tomorrow\n,{self.dora_author.pid},{'x' * 151},\n,no such thing,,\n"
        )
        statuses = [row.status for row in self.rows(HEAD + text)]
        self.assertEqual(
            statuses,
            [Status.KNOWN, Status.FOUND, Status.REFUSED, Status.UNKNOWN,
             Status.REFUSED, Status.REFUSED, Status.REFUSED, Status.UNKNOWN],
        )  # fmt: skip

    # --- What a file may look like

    def test_semicolons_tabs_marks_and_missing_headings(self) -> None:
        for text in (
            "﻿Name;ORCID iD;Role;Since\r\nDora Lund;0000-0002-1825-0097;Professor;2019\r\n",
            "role\tname\torcid\nProfessor\tDora Lund\t0000-0002-1825-0097\n",
            "Dora Lund,0000-0002-1825-0097,Professor,2019\n",
            '\n\n"Dora Lund","0000-0002-1825-0097","Professor"\n,,,\n',
        ):
            with self.subTest(text=text):
                [row] = self.rows(text)
                self.assertEqual((row.status, row.role), (Status.FOUND, "Professor"))

    def test_hostile_files_get_sentences(self) -> None:
        for content, says in (
            (b"", "empty"),
            (b"\xff\xfea\x00", "UTF-16"),
            (HEAD.encode() + "Müller,,,".encode("latin-1"), "Line 2 is not in UTF-8"),
            (HEAD.encode() + b"a\x00b,,,", "NUL"),
            (b"PK\x03\x04rest", "workbook"),
            (HEAD.encode() + b'"never closed,,,\n' * 3, "cannot be read as CSV"),
            (HEAD.encode() + b'"' + b"x" * 200_000 + b'",,,', "cannot be read as CSV"),
            (HEAD.encode(), "no rows"),
            (b"," * 100 + b"a", "columns"),
            (HEAD.encode() + b"Ada,,,\n" * 5001, "More than 5000 rows"),
            (b"x" * (sheet.MOST_BYTES + 1), "larger than 2 MB"),
        ):
            with self.subTest(says=says), self.assertRaisesRegex(RepresentativeError, says):
                sheet.read_rows(content)
        page = self.upload(b"\xff\xfea\x00")
        self.assertContains(page, "UTF-16")
        self.assertContains(self.upload(b""), "The submitted file is empty")
        self.assertContains(
            self.post(self.rita, f"{self.home}sheet/", {"sheet": "no file"}), "This field is required"
        )

    def test_markup_and_formulas_in_cells_are_text(self) -> None:
        page = self.upload(HEAD.encode() + b'"<script>alert(1)</script>",,"=cmd()",\n')
        self.assertContains(page, "&lt;script&gt;alert(1)&lt;/script&gt;")
        self.assertNotContains(page, "<script>alert(1)")

    def test_many_rows_take_as_many_queries_as_one(self) -> None:
        authors = [make_author(f"Member {n}") for n in range(40)]
        self.rows(f"{HEAD},{authors[0].pid},,\n")
        with CaptureQueriesContext(connection) as one:
            self.rows(f"{HEAD},{authors[0].pid},,\nAlice Ngata,,,\n")
        with CaptureQueriesContext(connection) as many:
            rows = self.rows(
                HEAD + "".join(f",{author.pid},,\n" for author in authors) + "Alice Ngata,,,\nBob Stone,,,\n"
            )
        self.assertEqual({row.status for row in rows}, {Status.FOUND})
        self.assertEqual(len(many), len(one))

    # --- Preview and confirmation

    def test_the_preview_asserts_nothing_and_the_confirmation_what_was_shown(self) -> None:
        page = self.upload(
            HEAD.encode()
            + f"Alice Ngata,,Professor,2019\nNobody Known,,,\n,{self.dora_author.pid},,\n".encode()
        )
        self.assertContains(page, "Assert the 2 found")
        self.assertContains(page, "No researcher with an affiliation here has this name")
        self.assertFalse(Assertion.objects.exists())
        token = page.context["token"]
        page = self.post(self.rita, f"{self.home}confirm/", {"token": token}, follow=True)
        self.assertContains(page, "Asserted for twelve months: 2.")
        self.assertEqual(
            set(Assertion.objects.values_list("author", "role")),
            {(self.alice_author.pk, "Professor"), (self.dora_author.pk, "")},
        )
        self.assertEqual(Evidence.objects.filter(kind="affiliation_asserted").count(), 2)
        page = self.post(self.rita, f"{self.home}confirm/", {"token": token}, follow=True)
        self.assertContains(page, "2 changed since the preview and were left out")
        self.assertEqual(Assertion.objects.count(), 2)

    def test_a_preview_counts_for_its_representative_alone_and_unchanged(self) -> None:
        token = self.upload(HEAD.encode() + b"Alice Ngata,,,\n").context["token"]
        college = f"/me/institutions/{self.college.pid}/confirm/"
        page = self.post(self.otto, college, {"token": token}, follow=True)
        self.assertContains(page, "another representative")
        for forged in ("", "x", token[:-1], token.replace(":", ";"), "\x00"):
            page = self.post(self.rita, f"{self.home}confirm/", {"token": forged}, follow=True)
            self.assertContains(page, "not complete")
        self.assertFalse(Assertion.objects.exists())

    def test_who_was_hidden_or_joined_since_the_preview_is_left_out(self) -> None:
        token = self.upload(HEAD.encode() + b"Alice Ngata,,,\nBob Stone,,,\n").context["token"]
        Author.objects.filter(pk=self.bob_author.pk).update(suppressed=True)
        page = self.post(self.rita, f"{self.home}confirm/", {"token": token}, follow=True)
        self.assertContains(page, "1 changed since the preview and was left out")
        self.assertEqual(Assertion.objects.get().author, self.alice_author)

    def test_the_download_can_be_sent_back(self) -> None:
        self.assert_member(role="=Professor")
        text = self.get(self.rita, f"{self.home}download/").getvalue().decode()
        [head, line] = list(csv.reader(io.StringIO(text)))
        self.assertEqual((head[0], line[0], line[2]), ("name", "Alice Ngata", "'=Professor"))
        self.assertEqual(self.rows(text)[0].status, Status.KNOWN)

    def test_five_thousand_members_are_asserted_in_few_statements(self) -> None:
        authors = Author.objects.bulk_create(Author(display_name=f"Member {n}") for n in range(5000))
        Affiliation.objects.bulk_create(
            Affiliation(author=author, institution=self.university, first_year=2020, last_year=2020)
            for author in authors
        )
        text = HEAD + "".join(f"Member {n},,Researcher of number {n},2020\n" for n in range(5000))
        token = self.upload(text.encode()).context["token"]
        with CaptureQueriesContext(connection) as queries:
            self.post(self.rita, f"{self.home}confirm/", {"token": token})
        self.assertEqual(Assertion.objects.count(), 5000)
        self.assertLess(len(queries), 60)
