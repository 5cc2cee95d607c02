"""Titles and abstracts read once: what a page shows, what search reads and the key that finds the work again."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from bzpeer.lib.markup import Rendered, render
from bzpeer.lib.sql import copy_rows, execute
from works.ingest.merging import title_key
from works.services.search_documents import WORK_SEARCH, WorkDocument, work_document


class Title(NamedTuple):
    html: str
    plain: str
    key: str


class Texts:
    """Rendered titles and abstracts of a batch: made before the catalogue is locked, read while it is."""

    def __init__(self) -> None:
        self._titles: dict[str, Title] = {}
        self._abstracts: dict[str, Rendered] = {}
        self._words: list[tuple[int, str, str, str]] = []
        self._places: dict[Hashable, int] = {}

    def title(self, text: str) -> Title:
        found = self._titles.get(text)
        if found is None:
            rendered = render(text, blocks=False)
            found = self._titles[text] = Title(rendered.html, rendered.plain, title_key(rendered.plain))
        return found

    def abstract(self, text: str) -> Rendered:
        found = self._abstracts.get(text)
        if found is None:
            found = self._abstracts[text] = render(text)
        return found

    def read(self, title: str, abstract: str, names: Sequence[str]) -> None:
        """Prepare what the search document of a work is made of."""
        key = (title, abstract, tuple(names))
        if key not in self._places:
            self._places[key] = len(self._words)
            self._words.append((len(self._words), *self.words(title, abstract, names)))

    def words(self, title: str, abstract: str, names: Sequence[str]) -> WorkDocument:
        return work_document(self.title(title).plain, self.abstract(abstract).plain, names)

    def place(self, title: str, abstract: str, names: Sequence[str]) -> int | None:
        """Return where stage_documents put the search document of a work; None where it was not prepared."""
        return self._places.get((title, abstract, tuple(names)))

    def stage_documents(self) -> None:
        """Have the database make the search documents prepared, as staged_document (place, search).

        Half of what writing new works costs it: done before the catalogue is locked, several importers do it at once.
        """
        execute(
            "create temporary table if not exists staged_words (place int, names text, title_words text, abstract_words text)"
            " on commit delete rows"
        )
        execute(
            "create temporary table if not exists staged_document (place int primary key, search tsvector) on commit delete rows"
        )
        execute("truncate staged_words, staged_document")
        copy_rows("staged_words", ("place", "names", "title_words", "abstract_words"), self._words)
        execute(f"insert into staged_document select place, {WORK_SEARCH} from staged_words")  # noqa: S608
