"""What a person took off their ORCID record is theirs by that record no more; what they put back is."""

import itertools
from typing import Any

from django.test import TestCase

from tests.works.orcid_records import CARBERRY, external, group, read, record, version
from works.ingest.load import store
from works.models import Author, Authorship, SourceRecord, Work
from works.services.resolve import resolve_all

DAY = 86_400_000  # milliseconds
NOW = 1_700_000_000_000


def changed(day: int) -> dict[str, Any]:
    return {"last-modified-date": {"value": NOW + day * DAY}}


def pots(*put_codes: int, day: int, **parts: Any) -> list[Any]:
    """Return what is read of Carberry's record as it was on a day, with these works."""
    works = [
        group(
            version(
                number, external("doi", f"10.5555/pots.{number}"), title=f"Pots, the {number}th part of many",
                last_modified_date={"value": NOW},
            )
        )
        for number in put_codes
    ]  # fmt: skip
    return read(record(works, history=changed(day) | {"deactivation-date": None}, **parts))


class UnlistedTests(TestCase):
    def bring(self, records: list[Any]) -> None:
        store("orcid", records, [])

    def listed(self) -> list[str]:
        """Return the works that stand by the record."""
        live = SourceRecord.objects.filter(entity="work").exclude(payload__has_key="withdrawn")
        return sorted(record_id.partition("/")[2] for record_id in live.values_list("record_id", flat=True))

    def test_a_work_that_a_newer_record_lists_no_more_is_withdrawn(self) -> None:
        self.bring(pots(1, 2, day=1))
        self.bring(pots(2, day=2))
        self.assertEqual(self.listed(), ["2"])
        gone = Work.objects.get(identifiers__value="10.5555/pots.1")
        self.assertTrue(gone.is_withdrawn)
        self.assertFalse(Authorship.objects.filter(work=gone).exists())
        self.assertFalse(Work.objects.get(identifiers__value="10.5555/pots.2").is_withdrawn)

    def test_a_work_that_others_know_stays_with_them(self) -> None:
        from works.ingest.records import AuthorshipRecord, WorkRecord

        self.bring(pots(1, day=1))
        other = WorkRecord(
            provider="crossref", record_id="10.5555/pots.1", type="article", title="Pots, the 1th part of many",
            identifiers=(("doi", "10.5555/pots.1"),), authorships=(AuthorshipRecord("Ann Lee"),), publication_year=2020,
        )  # fmt: skip
        store("crossref", [other], [])
        self.bring(pots(day=2))
        work = Work.objects.get(identifiers__value="10.5555/pots.1")
        self.assertFalse(work.is_withdrawn)
        self.assertEqual([line.raw_author_name for line in work.authorships.all()], ["Ann Lee"])

    def test_the_last_of_all_works_is_taken_off_too(self) -> None:
        self.bring(pots(1, day=1))
        self.bring(pots(day=2))
        self.assertEqual(self.listed(), [])

    def test_it_stands_again_when_it_is_listed_again(self) -> None:
        for works, day in (((1, 2), 1), ((2,), 2), ((1, 2), 3), ((1,), 4)):
            self.bring(pots(*works, day=day))
            self.assertEqual(self.listed(), [str(number) for number in works])
        self.assertFalse(Work.objects.get(identifiers__value="10.5555/pots.1").is_withdrawn)

    def test_the_order_of_versions_does_not_matter_nor_how_often_they_come(self) -> None:
        versions = [pots(1, 2, day=1), pots(2, 3, day=2), pots(3, 1, day=3)]
        for order in itertools.permutations([*versions, versions[0]]):
            SourceRecord.objects.all().delete()
            for records in order:
                self.bring(records)
            self.assertEqual(self.listed(), ["1", "3"])

    def test_a_part_of_a_record_says_nothing_of_what_it_lacks(self) -> None:
        self.bring(pots(1, 2, day=1))
        whole = record([], history=changed(2))
        part = {key: value for key, value in whole.items() if key not in {"activities-summary"}}
        self.bring(read(part))
        self.bring(read({"last-modified-date": None, "group": [], "path": f"/{CARBERRY}/works"}))
        self.assertEqual(self.listed(), ["1", "2"])

    def test_others_works_are_left_alone(self) -> None:
        self.bring(pots(1, day=1))
        SourceRecord.objects.filter(entity="work").update(record_id="0000-0001-5109-3700/1")
        self.bring(pots(2, day=2))
        self.assertEqual(len(self.listed()), 2)

    def test_xml_and_json_say_the_same_of_what_they_list(self) -> None:
        text = f"""<record:record path="/{CARBERRY}" xmlns:record="http://www.orcid.org/ns/record"
            xmlns:activities="http://www.orcid.org/ns/activities" xmlns:common="http://www.orcid.org/ns/common"
            xmlns:history="http://www.orcid.org/ns/history" xmlns:person="http://www.orcid.org/ns/person"
            xmlns:personal-details="http://www.orcid.org/ns/personal-details">
          <common:orcid-identifier><common:path>{CARBERRY}</common:path></common:orcid-identifier>
          <history:history><common:last-modified-date>2026-01-01T00:00:00Z</common:last-modified-date></history:history>
          <person:person><person:name><personal-details:given-names>Josiah</personal-details:given-names>
            <personal-details:family-name>Carberry</personal-details:family-name></person:name></person:person>
          %s</record:record>"""
        [whole] = read(
            text % "<activities:activities-summary><activities:works/></activities:activities-summary>"
        )
        [part] = read(text % "")
        self.assertEqual((whole.works, part.works), ((), None))
        self.assertEqual(pots(2, 1, day=1)[0].works, ("1", "2"))

    def test_the_person_loses_the_line(self) -> None:
        self.bring(pots(1, 2, day=1))
        resolve_all()
        self.bring(pots(1, day=2))
        resolve_all()
        [author] = Author.objects.public()
        self.assertEqual(author.authorships.count(), 1)
