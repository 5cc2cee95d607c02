import json
from datetime import date

from django.test import SimpleTestCase

from works import citation
from works.models import Authorship, Source, Work, WorkIdentifier


def item(
    title: str,
    names: list[str],
    type: str = "article",
    fields: dict[str, bool] | None = None,
    **identifiers: str,
) -> citation.Cited:
    work = Work(
        id=1, type=type, title=title, **(fields or {}), publication_year=2022, publication_date=date(2022, 3, 14),
        source=Source(display_name="Journal of A & B"),
    )  # fmt: skip
    rows = [Authorship(raw_author_name=name, index=i) for i, name in enumerate(names)]
    ids = [WorkIdentifier(scheme=scheme, value=value) for scheme, value in identifiers.items()]
    return citation.cited(work, rows, ids, "https://bzpeer.example/works/x/y/")


class CitationTests(SimpleTestCase):
    def test_bibtex_escapes_and_keeps_capitals(self) -> None:
        cited = item(
            "100% {Fast} $x_1$ & more", ["Carole-Jean Wu", "Ludwig van der Berg Jr."], doi="10.1/x_y"
        )
        self.assertEqual(
            citation.bibtex(cited),
            "@article{wu2022fast,\n"
            r"  title = {{100\% \{Fast\} \$x\_1\$ \& more}},"
            "\n"
            r"  author = {Wu, Carole-Jean and van der Berg, Ludwig, Jr},"
            "\n"
            "  year = {2022},\n"
            r"  journal = {Journal of A \& B},"
            "\n"
            "  doi = {10.1/x_y},\n"
            "  url = {https://doi.org/10.1/x_y}\n"
            "}\n",
        )

    def test_ris_has_a_line_per_author_and_an_end(self) -> None:
        lines = citation.ris(
            item("A\nB", ["Liu Ke", "Consortium"], type="preprint", arxiv="2203.07424")
        ).split("\r\n")
        self.assertEqual(
            lines,
            [
                "TY  - UNPB", "TI  - A B", "AU  - Ke, Liu", "AU  - Consortium", "PY  - 2022", "DA  - 2022/03/14",
                "T2  - Journal of A & B", "UR  - https://arxiv.org/abs/2203.07424", "ER  - ", "",
            ],
        )  # fmt: skip

    def test_csl_json_is_a_list_of_items(self) -> None:
        data = json.loads(citation.csl_json(item("A", ["Liu Ke", "刘柯"], doi="10.1/x")))[0]
        self.assertEqual(data["author"], [{"family": "Ke", "given": "Liu"}, {"literal": "刘柯"}])
        self.assertEqual(data["issued"], {"date-parts": [[2022, 3, 14]]})
        self.assertEqual((data["type"], data["DOI"]), ("article-journal", "10.1/x"))

    def test_plain_text_shortens_long_author_lists(self) -> None:
        text = citation.plain(item("Why?", [f"Ada Smith{n}" for n in range(12)]))
        self.assertIn("Smith9, Ada et al. (2022). Why? Journal of A & B. https://bzpeer.example", text)

    def test_every_format_says_that_a_work_is_retracted_or_withdrawn(self) -> None:
        for field, word in (("is_retracted", "Retracted"), ("is_withdrawn", "Withdrawn")):
            cited = item("Cold fusion", ["Ada Smith"], fields={field: True})
            self.assertIn(f"  note = {{{word} work}}\n", citation.bibtex(cited))
            self.assertIn(f"N1  - {word} work\r\n", citation.ris(cited))
            data = json.loads(citation.csl_json(cited))[0]
            self.assertEqual((data["status"], data["note"]), (word.lower(), f"{word} work"))
            self.assertIn(f"Cold fusion. [{word}]. Journal", citation.plain(cited))

    def test_a_paper_of_the_anthology_is_cited_by_its_address_there(self) -> None:
        self.assertEqual(item("A", [], acl="P19-1001").url, "https://aclanthology.org/P19-1001")
        self.assertEqual(item("A", [], acl="P19-1001", doi="10.1/x").url, "https://doi.org/10.1/x")

    def test_a_work_without_anything_can_be_cited(self) -> None:
        cited = citation.cited(Work(id=1, type="article", title=""), [], [], "https://bzpeer.example/")
        for write in (citation.bibtex, citation.ris, citation.csl_json, citation.plain):
            self.assertIn("Untitled work", write(cited))
        self.assertEqual(cited.key, "untitled")
