import io
import json
from collections.abc import Iterator
from typing import Any
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from works.ingest.files import UnreadableFile
from works.ingest.json_stream import CHUNK, TOO_LONG, parse, stream_records
from works.ingest.records import Reject

ROUTES = (("results",), ("message", "items"))


class Drops(io.BytesIO):
    """A stream that gives a few bytes at a time, so that values are cut everywhere."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, size: int | None = None, /) -> bytes:
        return super().read(min(self._size, size or 0))


class Endless(io.BytesIO):
    """A stream that begins as given and then repeats itself for ever."""

    def __init__(self, begin: bytes, again: bytes) -> None:
        super().__init__()
        self._begin, self._again, self.given = begin, again, 0

    def read(self, size: int | None = None, /) -> bytes:
        size = size or 0
        taken = (self._begin + self._again * (size // len(self._again) + 1))[:size]
        self._begin = b""
        self.given += len(taken)
        return taken


def read(data: bytes, routes: Any = ROUTES, **options: Any) -> list[Any]:
    items = stream_records(io.BytesIO(data), "x.json", routes, **options)
    return [item if isinstance(item, Reject) else parse(item) for item in items]


RECORDS = [{"id": 1}, {"id": 2, "text": 'a "quoted" ]}\\ one'}, {"id": 3, "in": [{"deep": []}]}]


class ShapeTests(TestCase):
    def test_every_shape_gives_the_same_records(self) -> None:
        plain = json.dumps(RECORDS)
        shapes = {
            "array": plain,
            "printed array": json.dumps(RECORDS, indent=2),
            "lines": "\n".join(json.dumps(record) for record in RECORDS),
            "lines that end as in Windows": "".join(json.dumps(record) + "\r\n" for record in RECORDS),
            "empty lines between": "\n\n".join(json.dumps(record) for record in RECORDS) + "\n\n",
            "documents in a row": "".join(json.dumps(record) for record in RECORDS),
            "printed documents": "\n".join(json.dumps(record, indent=4) for record in RECORDS),
            "an answer": '{"meta": {"results": [9]}, "results": ' + plain + "}",
            "a printed answer": json.dumps({"status": "ok", "message": {"n": 3, "items": RECORDS}}, indent=1),
            "answers on lines": "\n".join(json.dumps({"results": [record]}) for record in RECORDS),
            "an answer and an array": json.dumps({"results": RECORDS[:2]}) + json.dumps(RECORDS[2:]),
            "byte order mark": "\ufeff" + plain,
            "white space around": " \n\t" + plain + " \n",
        }
        for name, shape in shapes.items():
            with self.subTest(name):
                self.assertEqual(read(shape.encode()), RECORDS)

    def test_one_record_alone(self) -> None:
        self.assertEqual(read(b'{"id": 1}'), [{"id": 1}])
        self.assertEqual(read(b'{\n "id": 1,\n "results": null\n}'), [{"id": 1, "results": None}])

    def test_elements_that_are_no_objects_are_given_as_well(self) -> None:
        self.assertEqual(
            read(b'[1, "a, ]", null, true, -1.5e3, [], {}]'), [1, "a, ]", None, True, -1500, [], {}]
        )
        self.assertEqual(read(b"[]"), [])

    def test_only_what_a_route_leads_to_is_given(self) -> None:
        data = b'{"items": [0], "message": {"items": [1, 2], "x": {"items": [3]}}, "y": "]"}'
        for most in (len(data), 20):  # held whole, or too long for it
            self.assertEqual(read(data, [("message", "items")], most=most), [1, 2])
        self.assertEqual(read(data, [("absent",)]), [json.loads(data)])

    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(st.recursive(st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=9), lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(max_size=3), c, max_size=3), max_leaves=9), max_size=5),
        st.integers(1, 40),
        st.sampled_from([None, 1]),
        st.booleans(),
    )  # fmt: skip
    def test_it_finds_what_json_finds_wherever_the_stream_is_cut(
        self, values: list[Any], size: int, indent: int | None, ascii_only: bool
    ) -> None:
        data = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
        items = stream_records(Drops(data, size), "x")
        self.assertEqual([parse(item) for item in items], values)  # type: ignore[arg-type]
        wrapped = json.dumps({"a": "[{" * 9999, "results": [0, *values]}, indent=1).encode()
        items = stream_records(Drops(wrapped, size * 99), "x", ROUTES, most=9999)
        self.assertEqual([parse(item) for item in items], [0, *values])  # type: ignore[arg-type]


class DamageTests(TestCase):
    def test_a_broken_record_costs_itself(self) -> None:
        for data in (
            b'[{"id": 1}, {"id": nope}, {"id": 3}]',
            b'[{"id": 1}, {"a": "\\ud800"}, {"id": 3}]',
            b'[{"id": 1}, {"a": "\xff"}, {"id": 3}]',
            b'[{"id": 1}, {"a": ' + b"9" * 5000 + b'}, {"id": 3}]',
            b'[{"id": 1}, {"a": NaN}, {"id": 3}]',
            b'[{"id": 1}, ' + b"[" * 5000 + b"]" * 5000 + b', {"id": 3}]',
            b'{"id": 1}\n{"id":\n{"id": 3}',
        ):
            with self.subTest(data[:40]):
                first, second, third = read(data)
                self.assertEqual((first, third), ({"id": 1}, {"id": 3}))
                self.assertTrue(second.reason.startswith("not JSON"), second)
                self.assertLessEqual(len(second.snippet), 200)

    def test_a_broken_first_line_costs_itself(self) -> None:
        self.assertEqual(
            [type(item) for item in read(b'{"id": \n{"id": 2}\n{"id": 3}')], [Reject, dict, dict]
        )

    def test_a_comma_too_many_or_too_few_costs_nothing(self) -> None:
        self.assertEqual(read(b'[,{"id": 1},, {"id": 2} {"id": 3},]'), [{"id": 1}, {"id": 2}, {"id": 3}])

    def test_what_came_before_the_damage_is_given(self) -> None:
        for data in (
            b'[{"id": 1}, {"id": 2}, {"id": 3',
            b'[{"id": 1}, {"id": 2}, "thr',
            b'[{"id": 1}, {"id": 2},',
            b'[{"id": 1}, {"id": 2}',
            b'[{"id": 1}, {"id": 2}}',
            b'{"results": [{"id": 1}, {"id": 2}, {"i',
            b'{"results": [{"id": 1}, {"id": 2}',
            b'{"id": 1}{"id": 2}\n]',
            b'{"id": 1}{"id": 2} and more',
        ):
            with self.subTest(data):
                items: Iterator[bytes | Reject] = stream_records(io.BytesIO(data), "x.json", ROUTES)
                found = []
                with self.assertRaisesRegex(
                    UnreadableFile, r"^x\.json: damaged or cut off, .* at byte \d+\.$"
                ):
                    for item in items:
                        found.append(item)
                self.assertEqual(found, [b'{"id": 1}', b'{"id": 2}'])

    def test_an_empty_file_is_refused(self) -> None:
        for data in (b"", b" \n ", b"\xef\xbb\xbf"):
            with self.assertRaisesRegex(UnreadableFile, "the file is empty"):
                read(data)

    def test_what_is_no_json_is_refused(self) -> None:
        for data in (b"<html>", b"Resource not found.", b"\x89PNG", b"]", b'"text"'):
            with self.assertRaisesRegex(UnreadableFile, "no JSON record at byte 0"):
                read(data)


class BoundTests(TestCase):
    def test_a_record_that_is_too_long_costs_itself(self) -> None:
        long = json.dumps({"id": 2, "text": '{[\\" ' * 200})
        for data in (
            '[{"id": 1}, ' + long + ', {"id": 3}]',
            '[{"id": 1}, ' + json.dumps("]" * 2000) + ', {"id": 3}]',
            '{"id": 1}\n' + long + '\n{"id": 3}',
            '{"id": 1}' + long + '{"id": 3}',
            '{"meta": ' + long + ', "results": [{"id": 1}, ' + long + ', {"id": 3}], "x": ' + long + "}",
        ):
            for size in (1, 7, 1 << 20):
                with self.subTest(data=data[:30], size=size):
                    items = list(stream_records(Drops(data.encode(), size), "x", ROUTES, most=500))
                    self.assertEqual(items, [b'{"id": 1}', TOO_LONG, b'{"id": 3}'])

    def test_a_last_line_that_is_too_long_costs_itself(self) -> None:
        data = b'{"id": 1}\n{"text": "' + b"x" * 2000
        self.assertEqual(read(data, most=500), [{"id": 1}, TOO_LONG])

    def test_the_first_record_comes_before_much_is_read(self) -> None:
        for begin in (b"[", b"", b'{"results": ['):
            with self.subTest(begin):
                stream = Endless(begin + b'{"id": 0}\n', b',{"id": 1}\n' if begin else b'{"id": 1}\n')
                items = stream_records(stream, "x", ROUTES, most=4 * CHUNK)
                self.assertEqual([next(items) for _ in range(3)], [b'{"id": 0}', b'{"id": 1}', b'{"id": 1}'])
                self.assertLessEqual(stream.given, 16 * CHUNK)

    def test_a_text_without_end_is_passed_over_and_not_held(self) -> None:
        stream = Drops(b'[{"id": 1}, {"a": "' + b"x\\" * 5_000_000, 1 << 20)
        items = stream_records(stream, "x", most=CHUNK)
        self.assertEqual(next(items), b'{"id": 1}')
        with self.assertRaisesRegex(UnreadableFile, "a record without end"):
            next(items)
