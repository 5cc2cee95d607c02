"""Evidence for claims as it comes in: an import that knows works, an ORCID record that an organisation wrote into."""

from copy import deepcopy
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.core.management import call_command

from profiles.models import User
from tests.orcid_server import real_record
from tests.works.files import DEMO
from works.ingest.load import ingest
from works.models import Author

HERCULES = "2203.07424"
ORCID = "0000-0002-1825-0097"  # ORCID's own example


def import_liu_ke() -> Author:
    """Import the seed pair from arXiv as a host would; return the author of both works."""
    ingest("arxiv", [str(DEMO / "arxiv-seed.atom.xml")])
    call_command("rebuild", verbosity=0)
    return Author.objects.get(display_name="Liu Ke")


def record_with(
    arxiv: str = HERCULES,
    orcid: str = ORCID,
    given: str = "Liu",
    family: str = "Ke",
    organisation: str | None = "DataCite",
) -> dict[str, Any]:
    """Return an ORCID record whose only work was added by an organisation, or by the person where that is None."""
    record = real_record(orcid, given=given, family=family)
    works = record["activities-summary"]["works"]
    group = deepcopy(works["group"][0])
    summary = group["work-summary"][0]
    group["work-summary"] = [summary]
    identifier = {
        "external-id-type": "arxiv",
        "external-id-value": f"arXiv:{arxiv}",
        "external-id-normalized": {"value": f"arXiv:{arxiv}", "transient": True},
        "external-id-normalized-error": None,
        "external-id-url": {"value": f"https://arxiv.org/abs/{arxiv}"},
        "external-id-relationship": "self",
    }
    group["external-ids"] = summary["external-ids"] = {"external-id": [identifier]}
    if organisation is None:
        summary["source"] |= {
            "source-orcid": {"uri": f"https://orcid.org/{orcid}", "path": orcid, "host": "orcid.org"},
            "source-client-id": None,
            "source-name": {"value": f"{given} {family}"},
        }
    else:
        summary["source"]["source-name"] = {"value": organisation}
    works["group"] = [group]
    return record


def connect_orcid(user: User, orcid: str = ORCID, **fields: Any) -> SocialAccount:
    """Connect ORCID as the flow leaves it; test_orcid walks through the flow itself."""
    return SocialAccount.objects.create(
        user=user, provider="orcid", uid=orcid, extra_data=record_with(orcid=orcid, **fields)
    )
