import csv
import io

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from profiles.models import Follow
from profiles.services import follow_lists, follows
from tests.factories import make_author, make_institution, make_topic
from tests.profiles.cast import PeopleTestCase
from works.models import AuthorIdentifier

ORCID = "0000-0002-1825-0097"


class FollowListTests(PeopleTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        AuthorIdentifier.objects.create(author=cls.alice_author, scheme="orcid", value=ORCID)
        cls.place = make_institution(ror="05wvpxv85")
        cls.topic = make_topic("=HYPERLINK(1)")

    def bring(self, data: bytes) -> HttpResponse:
        return self.post(self.bob, "/me/following/import/", {"file": SimpleUploadedFile("list.csv", data)})

    def exported(self) -> str:
        response = self.get(self.charlie, "/me/following/export/")
        self.assertEqual(response["Content-Type"], "text/csv; charset=utf-8")
        self.assertIn("attachment", response["Content-Disposition"])
        return response.content.decode()

    def test_a_list_goes_out_of_one_account_and_into_another(self) -> None:
        for target in (self.alice_author, self.bob_author, self.topic, self.place):
            follows.follow(follower=self.charlie, target=target)
        text = self.exported()
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual({row["identifier"] for row in rows}, {ORCID, "05wvpxv85", ""})
        self.assertEqual({row["kind"] for row in rows}, {"researcher", "topic", "institution"})
        self.assertIn("'=HYPERLINK(1)", text)
        page = self.bring(text.encode())
        self.assertContains(page, "4 to follow")
        self.assertFalse(Follow.objects.filter(user=self.bob).exists())
        records = " ".join(f"{line.kind}:{line.target.pid}" for line in page.context["new"])
        self.post(self.bob, "/me/following/chosen/", {"records": records})
        self.assertEqual(Follow.objects.filter(user=self.bob).count(), 4)
        self.assertContains(self.bring(text.encode()), "4 of them you follow already")

    def test_any_table_with_identifiers_is_read(self) -> None:
        data = f"who;id\nAlice;https://orcid.org/{ORCID}\nNobody;0000-0001-5109-3700\nAlice again;{ORCID}\n".encode()
        page = self.bring(data)
        self.assertEqual([line.target for line in page.context["new"]], [self.alice_author])
        self.assertEqual([line.said for line in page.context["missing"]], ["Nobody"])

    def test_hidden_people_are_not_found_and_merged_ones_where_they_stand(self) -> None:
        hidden = make_author("Gone Away", suppressed=True)
        old = make_author("Alice N.", merged_into=self.alice_author)
        page = self.bring(f"kind,id,name\nresearcher,{hidden.pid},x\nresearcher,{old.pid},y\n".encode())
        self.assertEqual([line.target for line in page.context["new"]], [self.alice_author])
        self.assertEqual(len(page.context["missing"]), 1)

    def test_what_is_no_table_is_refused_in_words(self) -> None:
        for data, words in (
            (b"", "empty"), (b"\x00\x01", "NUL"), (b"\xff\xfea", "UTF-16"), (b"PK\x03\x04", "workbook"),
            (b"id\n" + b"x\n" * 501, "more than 500 rows"), (b"x" * 500_001, "larger than 500 kB"),
        ):  # fmt: skip
            with self.subTest(words=words):
                self.assertContains(self.bring(data), words)
        self.assertContains(self.post(self.bob, "/me/following/import/"), "Choose a file")

    def test_forged_choices_follow_nothing(self) -> None:
        for records in (
            "author:zzzzzzz",
            "work:1 author: :: author:%00 \x00",
            "author:" + "9" * 5000,
            "x" * 9000,
        ):
            self.post(self.bob, "/me/following/chosen/", {"records": records})
        self.assertFalse(Follow.objects.filter(user=self.bob).exists())

    def test_the_daily_limit_holds_and_is_told(self) -> None:
        authors = [make_author(f"A {number}") for number in range(follows.FIRST_WEEK_PER_DAY + 2)]
        count, refusal = follow_lists.follow_all(
            user=self.bob, chosen=[("author", author.pid) for author in authors]
        )
        self.assertEqual((count, Follow.objects.filter(user=self.bob).count()), (100, 100))
        self.assertIn("100 records a day", refusal)
