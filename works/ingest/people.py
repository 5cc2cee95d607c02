"""Who a source names as an author. The catalogue knows people only: an organisation must not become one."""

import html
import re

from bzpeer.lib.names import clean, fold
from works.ingest.records import AuthorshipRecord, InstitutionRef

MAX_AUTHORS = 20_000
MAX_NAME = 255
# Words that organisations bear, folded; only asked of names that came without a given name. People bear those of
# the second kind too (William H. Press): they count after "the" and in long names.
_SURELY = re.compile(
    r"\b(?:academy|agency|associat(?:ion|es)|collaborat(?:ion|ors)|commission|committee|consortium|corporation|council"
    r"|department|directorate|editors|faculty|federation|foundation|hospital|institut(?:e|ion|o|et)?|investigators"
    r"|laborator(?:y|ies)|ltd|ministry|museum|network|organi[sz]ation|participants|secretariat|society|(?:study|working) group"
    r"|task force|universit(?:y|e|aet|at|ad|a)|working party|world bank)\b"
)
_PERHAPS = re.compile(
    r"\b(?:authority|board|bureau|cent(?:er|re)|college|company|conference|division|fund|government|group|initiative|library"
    r"|office|press|program(?:me)?|project|school|service|staff|study|survey|team|trust|union)\b"
)
# A name of two to four Chinese, Japanese or Korean characters, which people put in one field or in braces.
_EAST_ASIAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]{2,4}")


def is_organisation(name: str) -> bool:
    """Return whether a name without parts is an organisation's.

    >>> is_organisation("the NOTES Development Group"), is_organisation("Govindjee")
    (True, False)
    >>> is_organisation("William H. Press"), is_organisation("Invented University Press")
    (False, True)
    """
    folded = fold(name)
    words = [word for word in folded.split() if len(word) > 1]
    return bool(_SURELY.search(folded)) or (
        (words[:1] == ["the"] or len(words) > 3) and bool(_PERHAPS.search(folded))
    )


def is_whole_person(name: str) -> bool:
    """Return whether a name that its source keeps in one piece, as those of organisations are, is a person's."""
    return bool(_EAST_ASIAN.fullmatch(name.strip()))


def person(
    given: str,
    family: str,
    suffix: str = "",
    *,
    orcid: str = "",
    affiliations: list[str] | None = None,
    institutions: list[InstitutionRef] | None = None,
) -> AuthorshipRecord | None:
    """Return an authorship, its name in reading order; None where there is no name, or an organisation's."""
    raw_name = clean(html.unescape(" ".join((given, family, suffix)))).strip(" ,;")[:MAX_NAME]
    if not raw_name or (not given.strip() and is_organisation(raw_name)):
        return None
    places = (clean(html.unescape(text))[:1000] for text in affiliations or [])
    return AuthorshipRecord(
        raw_name=raw_name,
        orcid=orcid,
        raw_affiliations=tuple(dict.fromkeys(text for text in places if text))[:20],
        institutions=tuple(dict.fromkeys(institutions or []))[:20],
    )
