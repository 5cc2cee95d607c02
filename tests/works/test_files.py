import gzip
import io
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest import TestCase
from unittest.mock import patch

from django.test import override_settings

from tests.works.files import LINES, SUFFIXES, InFolder
from works.ingest.files import (
    MAX_LINE,
    UnreadableFile,
    discard_copies,
    file_digest,
    find_files,
    read_lines,
)


class FindFilesTests(InFolder):
    def names(self, *paths: str | Path) -> list[str]:
        return [
            str(path.relative_to(self.folder)) for path in find_files([str(path) for path in paths], SUFFIXES)
        ]

    def test_folders_give_what_fits_in_a_steady_order(self) -> None:
        for name in ("b/2.jsonl", "b/1.jsonl.gz", "a/works.tar.xz", "a/notes.txt", "manifest", "a.jsonl"):
            self.write(name)
        self.assertEqual(self.names(self.folder), ["a/works.tar.xz", "a.jsonl", "b/1.jsonl.gz", "b/2.jsonl"])

    def test_hidden_files_and_what_systems_leave_are_passed_over(self) -> None:
        for name in (".git/x.jsonl", "._x.jsonl", "__MACOSX/x.jsonl", "x.jsonl"):
            self.write(name)
        self.assertEqual(self.names(self.folder), ["x.jsonl"])

    def test_a_file_is_found_once_however_often_it_is_named(self) -> None:
        path = self.write("x.jsonl")
        (self.folder / "y.jsonl").symlink_to(path)
        self.assertEqual(self.names(self.folder, path, path, self.folder), ["x.jsonl"])

    def test_a_file_that_is_named_counts_whatever_its_ending(self) -> None:
        self.assertEqual(self.names(self.write("data.txt")), ["data.txt"])

    def test_patterns_are_matched_here_where_the_shell_did_not(self) -> None:
        for name in ("a/1.jsonl", "a/2.jsonl", "b/3.txt", "a/deep/4.jsonl"):
            self.write(name)
        self.assertEqual(self.names(f"{self.folder}/a/*.jsonl"), ["a/1.jsonl", "a/2.jsonl"])
        self.assertEqual(
            self.names(f"{self.folder}/**/*.jsonl"), ["a/1.jsonl", "a/2.jsonl", "a/deep/4.jsonl"]
        )

    def test_a_name_that_looks_like_a_pattern_is_a_name_first(self) -> None:
        self.assertEqual(self.names(self.write("works[1].jsonl")), ["works[1].jsonl"])

    def test_loops_of_links_end(self) -> None:
        self.write("a/x.jsonl")
        (self.folder / "a" / "up").symlink_to(self.folder, target_is_directory=True)
        (self.folder / "a" / "self").symlink_to(self.folder / "a" / "self")
        self.assertEqual(self.names(self.folder), ["a/x.jsonl"])

    def test_a_folder_behind_a_link_is_walked(self) -> None:
        with TemporaryDirectory() as elsewhere:
            Path(elsewhere, "x.jsonl").write_bytes(LINES)
            (self.folder / "link").symlink_to(elsewhere, target_is_directory=True)
            self.assertEqual(self.names(self.folder), ["link/x.jsonl"])

    def test_each_path_that_cannot_be_read_has_a_sentence(self) -> None:
        self.write("only.txt")
        os.mkfifo(self.folder / "pipe")
        (self.folder / "loop").symlink_to(self.folder / "loop")
        for path, sentence in {
            str(self.folder / "nowhere"): "no such file or folder",
            str(self.folder / "only.txt" / "x"): "no such file or folder",
            str(self.folder / "*.gone"): "no file or folder has such a name",
            str(self.folder / "pipe"): "a device, pipe or socket",
            "/dev/null": "a device, pipe or socket",
            str(self.folder / "loop"): "a link that leads back to itself",
            str(self.folder): "No file ending in .jsonl, .gz",
            "a\x00b": "null",
            str(self.folder / ("x" * 300)): "too long",
        }.items():
            with self.subTest(path), self.assertRaisesRegex(UnreadableFile, sentence):
                find_files([path], SUFFIXES)

    def test_what_may_not_be_read_is_said(self) -> None:
        path = self.write("closed/x.jsonl")
        path.chmod(0)
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            os.seteuid(65534)
            self.addCleanup(os.seteuid, 0)
        [found] = find_files([str(self.folder)], SUFFIXES)
        self.assertIn("may not be read by the account", self.refusal(found))
        with self.assertRaisesRegex(UnreadableFile, "may not be read by the account"):
            file_digest(found)
        if os.getuid() == 0:
            os.seteuid(0)
        path.parent.chmod(0)
        if os.getuid() == 0:
            os.seteuid(65534)
        with self.assertRaisesRegex(UnreadableFile, "closed: may not be read by the account"):
            find_files([str(self.folder)], SUFFIXES)
        if os.getuid() == 0:
            os.seteuid(0)
        path.parent.chmod(0o700)

    def test_what_cannot_be_imported_is_said_before_anything_is(self) -> None:
        self.write("good.jsonl")
        link = self.folder / "gone.jsonl"
        link.symlink_to(self.folder / "nowhere")
        with self.assertRaisesRegex(UnreadableFile, "gone.jsonl: a link that leads nowhere; remove it"):
            find_files([str(self.folder)], SUFFIXES)
        link.unlink()
        (self.folder / os.fsdecode(b"b\xff.jsonl")).write_bytes(LINES)
        with self.assertRaisesRegex(UnreadableFile, "b\ufffd.jsonl: its name is not UTF-8"):
            find_files([str(self.folder)], SUFFIXES)


class StandardInputTests(InFolder):
    def take(self, content: bytes, paths: list[str]) -> list[Path]:
        stdin = SimpleNamespace(buffer=io.BytesIO(content), closed=False, isatty=lambda: False)
        with patch.object(sys, "stdin", stdin):
            return find_files(paths, SUFFIXES)

    def test_it_is_copied_into_var_and_can_be_discarded(self) -> None:
        other = self.write("x.jsonl")
        with override_settings(VAR_DIR=self.folder / "var"):
            files = self.take(gzip.compress(LINES), ["-", str(other), "-"])
            named, copy = files
            self.assertEqual((copy.parent, named), (self.folder / "var" / "incoming", other))
            self.assertEqual(list(self.members(copy).values()), [LINES])
            self.assertEqual(copy.stat().st_mode & 0o077, 0)
            discard_copies(files)
        self.assertEqual((copy.exists(), other.exists()), (False, True))

    def test_what_a_killed_import_left_is_removed_after_days(self) -> None:
        with override_settings(VAR_DIR=self.folder):
            [old] = self.take(LINES, ["-"])
            os.utime(old, (0, 0))
            [new] = self.take(LINES, ["-"])
        self.assertEqual((old.exists(), new.exists()), (False, True))

    def test_a_terminal_or_nothing_is_no_input(self) -> None:
        for stdin in (None, SimpleNamespace(closed=True), SimpleNamespace(closed=False, isatty=lambda: True)):
            with (
                patch.object(sys, "stdin", stdin),
                self.assertRaisesRegex(UnreadableFile, "nothing is piped"),
            ):
                find_files(["-"], SUFFIXES)

    def test_a_full_disk_is_said_and_nothing_is_left(self) -> None:
        full = SimpleNamespace(free=0)
        with (
            override_settings(VAR_DIR=self.folder),
            patch("shutil.disk_usage", return_value=full),
            self.assertRaisesRegex(UnreadableFile, "does not fit on the disk"),
        ):
            self.take(LINES, ["-"])
        self.assertEqual(list((self.folder / "incoming").iterdir()), [])

    def test_a_var_that_cannot_be_written_is_said(self) -> None:
        with (
            override_settings(VAR_DIR=self.write("a-file")),
            self.assertRaisesRegex(UnreadableFile, "cannot be kept in"),
        ):
            self.take(LINES, ["-"])


class ReadTests(TestCase):
    def test_a_long_line_is_skipped_and_the_next_is_read(self) -> None:
        lines = list(read_lines(io.BytesIO(b"a\n" + b"x" * 50_000_000 + b"\nb\r\n")))
        self.assertEqual(lines, [b"a", None, b"b"])
        self.assertEqual(list(read_lines(io.BytesIO(b"x" * (MAX_LINE + 1)))), [None])
