"""Languages by their codes."""

import re

# ISO 639-2 (both forms) to ISO 639-1, of the languages that scholarly works are written in.
TWO_LETTERS: dict[str, str] = dict(
    re.findall(
        r"(\w+):(\w+)",
        """
    afr:af ara:ar bul:bg cat:ca ces:cs chi:zh cze:cs dan:da deu:de dut:nl ell:el eng:en est:et
    eus:eu fas:fa fin:fi fra:fr fre:fr ger:de gle:ga glg:gl gre:el heb:he hin:hi hrv:hr hun:hu
    ind:id isl:is ita:it jpn:ja kor:ko lav:lv lit:lt msa:ms nld:nl nor:no per:fa pol:pl por:pt
    ron:ro rum:ro rus:ru slk:sk slv:sl spa:es srp:sr swe:sv tha:th tur:tr ukr:uk vie:vi zho:zh
    """,
    )
)
