"""The key that a local machine makes once and keeps."""

from pathlib import Path

import pytest

from bzpeer import settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setattr(settings, "LOCAL", True)
    monkeypatch.setattr(settings, "VAR_DIR", tmp_path / "var")
    return tmp_path / "var"


def test_it_is_made_once_and_private(folder: Path) -> None:
    key = settings.secret_key()
    assert len(key) > 50
    assert settings.secret_key() == key
    assert [path.name for path in folder.iterdir()] == ["secret_key"]
    assert (folder / "secret_key").stat().st_mode & 0o777 == 0o600


def test_an_empty_file_counts_as_none(folder: Path) -> None:
    folder.mkdir()
    (folder / "secret_key").touch()
    key = settings.secret_key()
    assert len(key) > 50
    assert settings.secret_key() == key


def test_without_links_it_is_kept_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("bzpeer.settings.os.link", refuse)
    assert settings.secret_key() == settings.secret_key()


def test_where_nothing_can_be_written_it_lives_as_long_as_the_process(folder: Path) -> None:
    folder.touch()  # a file where the folder would be: nobody writes there, not even root
    assert len(settings.secret_key()) > 50
