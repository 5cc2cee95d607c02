from unittest import TestCase

from works.identifiers import (
    arxiv_from_float,
    normalise_arxiv,
    normalise_doi,
    normalise_openalex,
    normalise_orcid,
    normalise_ror,
)


class IdentifierTests(TestCase):
    def check(self, normalise, table: dict[str, str | None]) -> None:
        self.assertEqual({text: normalise(text) for text in table}, table)

    def test_doi_loses_its_address_and_capitals(self) -> None:
        self.check(
            normalise_doi,
            {
                "https://doi.org/10.1109/ISCA45697.2020.00070": "10.1109/isca45697.2020.00070",
                "doi:10.1000/182.": "10.1000/182",
                "(see 10.1061/(ASCE)0733(2003)129:9(801)).": "10.1061/(asce)0733(2003)129:9(801)",
                "10.1007/a 10.1007/b": "10.1007/a",
                "": None,
                "11.1000/182": None,
                "10.1000/" + "x" * 600: None,
            },
        )

    def test_arxiv_loses_its_address_and_version(self) -> None:
        self.check(
            normalise_arxiv,
            {
                "http://arxiv.org/abs/1912.12953v1": "1912.12953",
                "arXiv:2203.07424": "2203.07424",
                "https://arxiv.org/pdf/cs/9809007v2.pdf": "cs/9809007",
                "math.GT/0309136": "math/0309136",
                "10.48550/arXiv.2203.07424": "2203.07424",
                "https://arxiv.org/api/errors#incorrect_id_format_for_abc": None,
                "1913.12953": None,
                "": None,
            },
        )

    def test_an_id_that_was_read_as_a_float_is_found_again(self) -> None:
        self.check(
            arxiv_from_float,
            {
                "1912.1295300000002": "1912.12953",
                "1805.0830899999999": "1805.08309",
                "1511.0123": "1511.01230",
                "704.0967": "0704.0967",
                "706.113": "0706.1130",
                "1412.7": "1412.7000",
                "1501.00001": "1501.00001",
                "cs/9809007": "cs/9809007",
                "nan": None,
                "1e9": None,
                "9999.5": None,
            },
        )

    def test_orcid_needs_its_check_digit(self) -> None:
        self.check(
            normalise_orcid,
            {
                "http://orcid.org/0000-0002-1825-0097": "0000-0002-1825-0097",
                "0000-0002-9079-593x": "0000-0002-9079-593X",
                "0000-0002-1825-0098": None,
                "": None,
            },
        )

    def test_openalex_and_ror_lose_their_addresses(self) -> None:
        self.assertEqual(normalise_openalex("https://openalex.org/w2741809807"), "W2741809807")
        self.assertEqual(normalise_openalex("https://openalex.org/subfields/1710"), "subfields/1710")
        self.assertIsNone(normalise_openalex("https://openalex.org/"))
        self.assertEqual(normalise_ror("https://ror.org/05wvpxv85"), "05wvpxv85")
        self.assertIsNone(normalise_ror("ror.org/xyz"))
