"""Identifiers, normalised once and in one place. Each function returns None for what is none."""

import re

_DOI = re.compile(r"10\.\d{4,9}/[^\s\x00-\x1f\x7f]+")
_ARXIV_NEW = re.compile(r"(\d{4})\.(\d{4,5})(v\d+)?", re.A)
_ARXIV_OLD = re.compile(r"([a-z-]{2,20})(?:\.[A-Z]{2})?/(\d{7})(v\d+)?", re.A)
_ARXIV_FLOAT = re.compile(r"\d{3,4}(\.\d+)?")
_ORCID = re.compile(r"(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dXx])", re.A)
_ROR = re.compile(r"0[a-hj-km-np-tv-z0-9]{6}\d{2}")
_OPENALEX = re.compile(r"([A-Z])(\d{1,15})")
_ACL = re.compile(
    r"(?:https?://(?:www\.)?aclanthology\.org/)?([A-Z]\d\d-\d{4}|\d{4}\.[a-z0-9]+-[a-z0-9]+\.\d{1,5})(?:\.pdf)?/?",
    re.I | re.A,
)
_DBLP = re.compile(
    r"(?:https?://(?:www\.)?dblp\.(?:org|uni-trier\.de)/rec/)?"
    r"((?:conf|journals|books|phd|ms|series|reference|tr|data|www)(?:/[^\s/]{1,120}){2,3})",
)


def normalise_doi(text: str | None) -> str | None:
    """Return the DOI in small letters without its address, as "10.1109/isca45697.2020.00070"."""
    match = _DOI.search(text or "")
    if not match:
        return None
    doi = match.group().lower().rstrip(".,;>\"'")
    while doi.endswith(")") and doi.count(")") > doi.count("("):  # the bracket around it, not its own
        doi = doi[:-1].rstrip(".,;>\"'")
    return doi if len(doi) <= 512 else None


def normalise_arxiv(text: str | None) -> str | None:
    """Return the arXiv id without version, as "1912.12953" or "cs/9809007"."""
    text = (text or "").strip()
    text = re.sub(r"^(?:https?://)?(?:export\.)?(?:www\.)?arxiv\.org/(?:abs|pdf)/", "", text, flags=re.I)
    text = re.sub(r"^(?:arxiv:|10\.48550/arxiv\.|https?://doi\.org/10\.48550/arxiv\.)", "", text, flags=re.I)
    text = text.removesuffix(".pdf")
    if match := _ARXIV_NEW.fullmatch(text):
        month, number = match.group(1), match.group(2)
        if not 1 <= int(month[2:]) <= 12:
            return None
        return f"{month}.{number}"
    if match := _ARXIV_OLD.fullmatch(text):
        return f"{match.group(1)}/{match.group(2)}"
    return None


def arxiv_from_float(text: str) -> str | None:
    """Return the arXiv id behind a number that a table once read as a float.

    "1912.1295300000002" is 1912.12953, "1511.0123" is 1511.01230 and "704.0967" is 0704.0967: numbers
    have four digits to the end of 2014 and five since. Old ids ("cs/9809007") pass unharmed.
    """
    text = text.strip()
    if not _ARXIV_FLOAT.fullmatch(text):
        return normalise_arxiv(text)
    month, _, fraction = text.partition(".")
    month = month.zfill(4)
    digits = 4 if int(month) < 1501 else 5
    number = round(float(f"0.{fraction or '0'}") * 10**digits)
    if number >= 10**digits:
        return None
    return normalise_arxiv(f"{month}.{number:0{digits}d}")


def normalise_orcid(text: str | None) -> str | None:
    """Return the ORCID iD as "0000-0002-1825-0097"; None where the check digit (ISO 7064 11,2) is wrong."""
    match = _ORCID.search(text or "")
    if not match:
        return None
    digits = "".join(match.groups()).upper()
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    if digits[-1] != ("X" if check == 10 else str(check)):
        return None
    return "-".join(digits[i : i + 4] for i in range(0, 16, 4))


def normalise_openalex(text: str | None) -> str | None:
    """Return the OpenAlex id as "W2741809807"; subfields, fields and domains as "subfields/1710"."""
    text = re.sub(r"^https?://(?:api\.)?openalex\.org/", "", (text or "").strip(), flags=re.I)
    if re.fullmatch(r"(?:subfields|fields|domains)/[0-9]{1,7}", text):
        return text
    text = text.rpartition("/")[2].upper()
    return text if _OPENALEX.fullmatch(text) else None


def normalise_ror(text: str | None) -> str | None:
    """Return the ROR id without its address, as "05wvpxv85"."""
    text = re.sub(r"^(?:https?://)?ror\.org/", "", (text or "").strip().lower())
    return text if _ROR.fullmatch(text) else None


def normalise_acl(text: str | None) -> str | None:
    """Return the Anthology's id of a paper, as "P19-1001" or "2020.acl-main.12"."""
    match = _ACL.fullmatch((text or "").strip())
    if not match:
        return None
    return match.group(1).lower() if match.group(1)[0].isdigit() else match.group(1).upper()


def normalise_dblp(text: str | None) -> str | None:
    """Return dblp's key of a publication, as "conf/isca/KeGCWX20"."""
    match = _DBLP.fullmatch((text or "").strip())
    return match.group(1).removesuffix(".html") if match else None


def normalise_pmid(text: str | None) -> str | None:
    match = re.search(r"(?:^|/)(\d{1,9})/?$", (text or "").strip())
    return match.group(1) if match else None


def normalise_issn(text: str | None) -> str | None:
    text = (text or "").strip().upper()
    return text if re.fullmatch(r"\d{4}-\d{3}[\dX]", text) else None
