"""What the domain of a mail address can tell of its owner; pure, and from lists that come with the code."""

from functools import cache

import idna
from publicsuffixlist import PublicSuffixList

from profiles.claims.names import looks

# Anybody gets an address here. What some institution lists as its own (a provider's own company) is no exception.
PROVIDERS = frozenset("""
126.com 139.com 163.com 189.cn 21cn.com aliyun.com aol.com bk.ru daum.net duck.com fastmail.com fastmail.fm foxmail.com
free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hanmail.net hey.com hotmail.co.uk
hotmail.com hotmail.de hotmail.fr hotmail.it hushmail.com icloud.com inbox.ru laposte.net libero.it list.ru live.co.uk
live.com live.fr live.nl mac.com mail.com mail.de mail.ru mailbox.org me.com msn.com naver.com o2.pl onet.pl orange.fr
outlook.com outlook.de outlook.es outlook.fr pm.me posteo.de posteo.net proton.me protonmail.ch protonmail.com qq.com
rambler.ru rediffmail.com rocketmail.com seznam.cz sina.cn sina.com sohu.com t-online.de tuta.com tutanota.com
vip.163.com vip.qq.com virgilio.it web.de wp.pl ya.ru yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com
yahoo.com.br yahoo.com.cn yahoo.com.tw yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it yandex.com yandex.ru yeah.net
ymail.com zoho.com
""".split())  # fmt: skip  # noqa: SIM905 - a table reads better as words

# Addresses for ten minutes.
DISPOSABLE = frozenset("""
10minutemail.com 20minutemail.com discard.email dispostable.com emailondeck.com fakeinbox.com getnada.com
guerrillamail.com guerrillamail.info guerrillamail.net inboxkitten.com mailcatch.com maildrop.cc mailinator.com
mailnesia.com mintemail.com moakt.com mohmal.com mytemp.email sharklasers.com spamgourmet.com temp-mail.org
tempail.com tempmail.com tempmailo.com throwawaymail.com trashmail.com yopmail.com yopmail.fr yopmail.net
""".split())  # fmt: skip  # noqa: SIM905 - a table reads better as words

_ALUMNI = "is for former students, who keep it for life"
_STUDENT = "is for students"
_GUEST = "is for guests"
# Parts of a host's name, and what they say of who has an address there.
LABELS: dict[str, str] = {
    **dict.fromkeys(
        ("alum", "alumna", "alumnae", "alumni", "alumnii", "alumnus", "alums", "almuni", "ehemalige", "exalumnos",
         "egresados", "absolvent", "absolventen", "mezun", "formerstudents"),
        _ALUMNI,
    ),
    **dict.fromkeys(
        ("student", "students", "stud", "stud-mail", "studmail", "studs", "stu", "studenti", "studenten", "studentmail",
         "student-mail", "studenter", "studium", "studierende", "etu", "etud", "etudiant", "etudiants", "alumno",
         "alumnos", "aluno", "alunos", "estudiante", "estudiantes", "estudiant", "estudante", "ogr", "ogrenci", "uczen",
         "opiskelija", "elev", "elever", "undergrad", "ugrad", "freshman"),
        _STUDENT,
    ),
    **dict.fromkeys(("guest", "guests", "gast", "gaeste", "visitor", "visitors", "external", "extern"), _GUEST),
    "post": "is kept by former students at some universities (post.harvard.edu)",
}  # fmt: skip
# Whole hosts that say nothing by their name.
HOSTS: dict[str, str] = {
    "aya.yale.edu": _ALUMNI,
    "caa.columbia.edu": _ALUMNI,
    "cantab.ac.uk": _ALUMNI,
    "cantab.net": _ALUMNI,
    "connect.hku.hk": _STUDENT,
    "connect.ust.hk": _STUDENT,
    "e.ntu.edu.sg": _STUDENT,
    "link.cuhk.edu.hk": _STUDENT,
    "mail.ustc.edu.cn": _STUDENT,
    "mails.tsinghua.edu.cn": _STUDENT,
    "oxon.org": _ALUMNI,
    "u.nus.edu": _STUDENT,
    # Societies forward mail for all of their members, whoever employs them.
    "acm.org": "is for every member of the society",
    "computer.org": "is for every member of the society",
    "ieee.org": "is for every member of the society",
    "member.ams.org": "is for every member of the society",
}


def domain_of(email: str) -> str:
    """Return the domain of an address as the network writes it, "" where it is none.

    >>> domain_of("Ada@CS.Tufts.edu"), domain_of("ada@münchen.de")
    ('cs.tufts.edu', 'xn--mnchen-3ya.de')
    """
    _, at, domain = email.strip().rpartition("@")
    return to_ascii(domain) if at else ""


def to_ascii(domain: str) -> str:
    """Return a domain in the letters that the network uses, "" where it is no domain."""
    try:
        found = idna.encode(domain.strip().rstrip("."), uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return ""
    return found if "." in found and len(found) <= 253 else ""


def to_shown(domain: str) -> str:
    """Return a domain in the letters in which it is meant to be read."""
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # the registries' part and the one of hosting companies


def is_public_suffix(domain: str) -> bool:
    """Return whether many organisations have their domains below this one: edu.cn, gov.uk, github.io."""
    return bool(_suffixes().is_public(domain))


def is_provider(domain: str) -> bool:
    """Return whether anybody gets an address at this domain or below it."""
    return _is_or_below(domain, PROVIDERS)


def is_disposable(domain: str) -> bool:
    return _is_or_below(domain, DISPOSABLE)


def not_for_staff(domain: str) -> str:
    """Return why an address at this host does not show that somebody works there, "" where nothing says so.

    >>> not_for_staff("cs.tufts.edu"), not_for_staff("alumni.tufts.edu")
    ('', 'is for former students, who keep it for life')
    """
    for parent in and_above(domain):
        if parent in HOSTS:
            return HOSTS[parent]
    own = _suffixes().privatesuffix(domain) or domain
    labels = domain.removesuffix(own).rstrip(".").split(".")
    if found := next((LABELS[label] for label in labels if label in LABELS), ""):
        return found
    # A domain of the graduates' own; universities are called stu and etu as well.
    return _ALUMNI if LABELS.get(own.partition(".")[0]) == _ALUMNI else ""


def and_above(domain: str) -> list[str]:
    """Return a domain and those above it, the longest first, without the last word.

    >>> and_above("cs.tufts.edu")
    ['cs.tufts.edu', 'tufts.edu']
    """
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def imitates(domain: str, real: str) -> bool:
    """Return whether a domain is written to be read as another: tuftѕ.edu with a Cyrillic letter."""
    if domain == real:
        return False
    shown = looks(to_shown(domain))
    return not to_shown(domain).isascii() and (shown == real or shown.endswith(f".{real}"))


def _is_or_below(domain: str, known: frozenset[str]) -> bool:
    return any(parent in known for parent in and_above(domain))
