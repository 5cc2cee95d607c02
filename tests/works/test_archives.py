import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

from tests.works.files import LINES, SUFFIXES, InFolder, tar_of, zip_of
from works.ingest.files import Meter, UnreadableFile, open_members, read_lines, read_records
from works.ingest.records import Reject, WorkRecord


class OpenMembersTests(InFolder):
    def test_plain_and_packed_files_are_told_by_what_they_hold(self) -> None:
        for pack in (lambda data: data, gzip.compress, lzma.compress, bz2.compress):
            self.assertEqual(self.members(self.write("x.jsonl", pack(LINES))), {"x.jsonl": LINES})

    def test_several_packed_streams_in_a_row_are_one(self) -> None:
        for pack, padding in ((gzip.compress, b""), (lzma.compress, b"\x00" * 8), (bz2.compress, b"")):
            path = self.write("x.jsonl", pack(LINES) + padding + pack(LINES) + padding)
            self.assertEqual(self.members(path), {"x.jsonl": LINES * 2})

    def test_archives_give_what_fits_packed_inside_or_not(self) -> None:
        inside = {
            "a/x.jsonl": LINES,
            "y.jsonl.gz": gzip.compress(LINES),
            "LICENSE": b"words",
            "z.xml": b"<x/>",
        }
        expected = {"a/x.jsonl": LINES, "y.jsonl.gz": LINES}
        tar = tar_of(inside)
        for name, content in {
            "x.zip": zip_of(inside), "stored.zip": zip_of(inside, zipfile.ZIP_STORED), "x.tar": tar, "x.tgz": gzip.compress(tar),
            "x.tar.xz": lzma.compress(tar), "x.tar.bz2": bz2.compress(tar), "no-ending": gzip.compress(tar),
        }.items():  # fmt: skip
            with self.subTest(name):
                self.assertEqual(self.members(self.write(name, content)), expected)

    def test_tars_in_a_zip_are_read_and_nothing_deeper(self) -> None:
        inner = tar_of({"x.jsonl": LINES})
        path = self.write("x.zip", zip_of({"summaries.tar.gz": gzip.compress(inner)}))
        self.assertEqual(self.members(path), {"x.jsonl": LINES})
        deep = self.write("deep.tar", tar_of({"a.tar": tar_of({"b.tar": inner})}))
        self.assertEqual(
            self.refusal(deep), "b.tar: an archive inside an archive; unpack the outer one first."
        )

    def test_what_points_elsewhere_or_hides_is_passed_over(self) -> None:
        inside = {
            "/abs.jsonl": LINES,
            "../up.jsonl": LINES,
            "._x.jsonl": LINES,
            "__MACOSX/x.jsonl": LINES,
            "./x.jsonl": LINES,
        }
        tar = tar_of(inside, link=tarfile.SYMTYPE, hard=tarfile.LNKTYPE, device=tarfile.CHRTYPE, pipe=tarfile.FIFOTYPE)  # fmt: skip
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            self.assertEqual(len(archive.getmembers()), 9)
        self.assertEqual(self.members(self.write("x.tar", tar)), {"./x.jsonl": LINES})
        self.assertEqual(self.members(self.write("x.zip", zip_of(inside))), {"./x.jsonl": LINES})

    def test_a_link_in_a_zip_is_no_file(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            link = zipfile.ZipInfo("link.jsonl")
            link.create_system, link.external_attr = 3, 0o120777 << 16
            archive.writestr(link, "/etc/hostname")
        self.assertIn(
            "holds no file ending in .jsonl, .gz", self.refusal(self.write("x.zip", out.getvalue()))
        )

    def test_names_that_are_no_text_can_be_shown(self) -> None:
        [name] = self.members(self.write("x.tar", tar_of({"a\udcff.jsonl": LINES})))
        self.assertEqual(name, "a\ufffd.jsonl")
        path = self.folder / os.fsdecode(b"b\xff.jsonl")
        path.write_bytes(b"")
        self.assertEqual(self.refusal(path), "b\ufffd.jsonl: the file is empty.")

    def test_the_meter_ends_at_the_size_on_disk_and_sums_up(self) -> None:
        meter, total = Meter(), 0
        many = {f"{n}.jsonl": os.urandom(50_000) for n in range(20)}
        for name, content in {
            "x.zip": zip_of(many),
            "x.tgz": gzip.compress(tar_of(many)),
            "x.jsonl": LINES,
        }.items():
            path = self.write(name, content)
            seen = []
            for _, stream in open_members(path, SUFFIXES, meter):
                stream.read()
                seen.append(meter.bytes)
            self.assertEqual(seen, sorted(seen))
            total += path.stat().st_size
            self.assertLessEqual(seen[-1], total)
            self.assertEqual(meter.bytes, total)


class RefusedTests(InFolder):
    """What is no file of data, or a trap."""

    def test_an_empty_file_is_said(self) -> None:
        for content in (b"", gzip.compress(b"")):
            self.assertEqual(self.refusal(self.write("x.jsonl", content)), "x.jsonl: the file is empty.")

    def test_other_packings_are_named(self) -> None:
        for magic, name in (
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
            (b"PAR1", "Parquet"),
        ):
            self.assertIn(
                f"packed as {name}; unpack it first", self.refusal(self.write("x", magic + bytes(600)))
            )

    def test_an_archive_without_anything_that_fits_is_said(self) -> None:
        for content in (zip_of({"a.txt": b"x"}), tar_of({"a.txt": b"x"}), zip_of({})):
            self.assertIn("holds no file ending in .jsonl, .gz", self.refusal(self.write("x", content)))

    def test_bombs_are_refused_before_they_fill_memory(self) -> None:
        zeros = bytes(60_000_000)
        packed = gzip.compress(zeros)
        for name, content in {
            "x.jsonl.gz": packed,
            "x.jsonl.xz": lzma.compress(zeros),
            "x.jsonl.bz2": bz2.compress(zeros),
            "x.zip": zip_of({"x.jsonl": zeros}),
            "x.tar.gz": gzip.compress(tar_of({"x.jsonl": zeros})),
            "packed-in.tar": tar_of({"x.jsonl.gz": packed}),
            "twice.tar.gz": gzip.compress(tar_of({f"{n}.jsonl.gz": packed for n in range(3)})),
        }.items():
            with self.subTest(name):
                self.assertIn(
                    "unpacks to more than 300 times its size; refused.",
                    self.refusal(self.write(name, content)),
                )

    def test_members_share_one_bound(self) -> None:
        part = zip_of({f"{n}.jsonl": bytes(5_000_000) for n in range(9)})
        self.assertIn("more than 300 times", self.refusal(self.write("x.zip", part)))

    def test_a_zip_of_zips_stays_packed(self) -> None:
        bomb = zip_of({"0.jsonl": bytes(10_000_000)})
        for _ in range(3):
            bomb = zip_of({f"lib {n}.zip": bomb for n in range(16)})
        path = self.write("42.zip", bomb)
        self.assertIn("an archive inside an archive", self.refusal(path))
        rejects = list(read_records(FakeReader, path))
        self.assertEqual(len(rejects), 16)

    def test_a_zip_whose_list_is_too_long_is_refused(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for n in range(200):
                info = zipfile.ZipInfo(f"{n}.jsonl")
                info.comment = bytes(60_000)
                archive.writestr(info, b"")
        self.assertIn("a zip of too many members", self.refusal(self.write("x.zip", out.getvalue())))

    def test_a_tar_whose_header_would_fill_memory_is_refused(self) -> None:
        info = tarfile.TarInfo("x")
        info.type, info.size = tarfile.XHDTYPE, 1 << 33
        self.assertIn(
            "a header of more than 1 MB",
            self.refusal(self.write("x.tar", info.tobuf(tarfile.GNU_FORMAT) + bytes(10_000))),
        )

    def test_a_tar_of_holes_is_no_file(self) -> None:
        info = tarfile.TarInfo("x.jsonl")
        info.pax_headers = {
            "GNU.sparse.map": "0,0",
            "GNU.sparse.size": str(1 << 40),
            "GNU.sparse.name": "x.jsonl",
        }
        tar = info.tobuf(tarfile.PAX_FORMAT) + bytes(1024)
        self.assertIn("holds no file", self.refusal(self.write("x.tar", tar)))

    def test_a_locked_zip_is_said(self) -> None:
        packed = bytearray(zip_of({"x.jsonl": LINES}))
        packed[6] |= 1
        packed[packed.rindex(b"PK\x01\x02") + 8] |= 1
        self.assertIn("locked with a password", self.refusal(self.write("x.zip", bytes(packed))))

    def test_a_zip_packed_with_lzma_is_said(self) -> None:
        path = self.write("x.zip", zip_of({"x.jsonl": LINES}, zipfile.ZIP_LZMA))
        self.assertIn("packed in a way that is not read here", self.refusal(path))

    def test_xz_that_needs_much_memory_is_refused(self) -> None:
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 28}]
        header = lzma.compress(LINES, filters=filters)
        self.assertIn("Memory usage limit", self.refusal(self.write("x.xz", header)))


class CutOffTests(InFolder):
    """A damaged file is read up to its damage."""

    def setUp(self) -> None:
        super().setUp()
        self.lines = b"".join(b'{"n": "%s"}\n' % os.urandom(40).hex().encode() for _ in range(5000))

    def before_damage(self, path: Path) -> tuple[int, str]:
        seen = 0
        try:
            for _, stream in open_members(path, SUFFIXES):
                for _ in read_lines(stream):
                    seen += 1
        except UnreadableFile as error:
            return seen, str(error)
        raise AssertionError("nothing was said")

    def test_packed_files(self) -> None:
        for pack in (gzip.compress, lzma.compress, partial(bz2.compress, compresslevel=1)):
            packed = pack(self.lines)
            seen, sentence = self.before_damage(self.write("x.jsonl", packed[: len(packed) * 3 // 4]))
            self.assertGreater(seen, 2000)
            self.assertRegex(sentence, r"x\.jsonl: damaged or cut off \(.+\)\.")

    def test_tars_cut_anywhere(self) -> None:
        tar = tar_of({"a.jsonl": self.lines, "b.jsonl": self.lines})
        second = tar.index(b"b.jsonl")
        for length in (second - 700, second, second + 200, second + 512, second + 5000, len(tar) - 10240):
            for content in (tar[:length], gzip.compress(tar[:length]), gzip.compress(tar)[: length // 2]):
                seen, sentence = self.before_damage(self.write("x.tar", content))
                self.assertGreater(seen, 2000)
                self.assertIn("damaged or cut off", sentence)

    def test_a_zip_without_its_end_is_refused(self) -> None:
        path = self.write("x.zip", zip_of({"a.jsonl": self.lines})[:-30])
        self.assertIn("a zip without its end", self.refusal(path))

    def test_a_damaged_member_of_a_zip_costs_only_itself(self) -> None:
        packed = bytearray(
            zip_of({"a.jsonl": self.lines, "b.jsonl": LINES, "c.jsonl.gz": gzip.compress(LINES)})
        )
        packed[2000:2100] = bytes(100)
        items = list(read_records(FakeReader, self.write("x.zip", bytes(packed))))
        self.assertEqual([type(item) for item in items[-5:]], [Reject, *[WorkRecord] * 4])
        self.assertRegex(str(items[-5]), r"a\.jsonl: damaged or cut off")

    def test_any_damage_ends_in_a_sentence(self) -> None:
        inside = {"a.jsonl": self.lines[:3000], "b.jsonl.gz": gzip.compress(LINES)}
        for content in (
            zip_of(inside),
            tar_of(inside),
            gzip.compress(tar_of(inside)),
            lzma.compress(self.lines[:3000]),
        ):
            step = max(1, len(content) // 300)
            for place in range(0, len(content), step):
                damaged = bytearray(content)
                damaged[place] ^= 0xFF
                damaged[(place * 7 + 3) % len(damaged)] ^= 0x40
                try:
                    self.members(self.write("x", bytes(damaged)))
                except UnreadableFile as error:
                    self.assertTrue(str(error).endswith("."), error)


class _Reader:
    SUFFIXES = SUFFIXES

    def read_stream(self, stream: Any, name: str) -> Any:
        for line in read_lines(stream):
            if line == b"refuse":
                raise UnreadableFile(f"{name}: not of this provider.")
            yield WorkRecord(provider="x", record_id=str(line), type="article")


FakeReader = _Reader()


class ReadRecordsTests(InFolder):
    def test_a_member_of_another_format_is_a_reject_and_the_others_are_read(self) -> None:
        path = self.write("x.zip", zip_of({"a.jsonl": b"refuse\n", "b.jsonl": LINES}))
        items = list(read_records(FakeReader, path))
        self.assertEqual(items[0], Reject("a.jsonl: not of this provider."))
        self.assertEqual([type(item) for item in items[1:]], [WorkRecord, WorkRecord])

    def test_a_file_of_another_format_is_refused(self) -> None:
        with self.assertRaisesRegex(UnreadableFile, "not of this provider"):
            list(read_records(FakeReader, self.write("x.jsonl", b"refuse")))
