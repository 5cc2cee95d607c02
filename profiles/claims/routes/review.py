"""The review route: a moderator reads what the claimant writes. It never decides by itself."""

from profiles.claims.findings import Check, Finding, Outcome
from profiles.claims.subject import Subject
from profiles.models import Route

PROVES = "What no register can: say in your words, and with documents, why this page is yours."
SOON = "When a moderator has read it, usually within a few days. You may appeal against the decision."


def look(subject: Subject) -> Finding:
    claim = subject.claim
    files = claim.attachments.count() if claim else 0
    if not claim or not (claim.case.strip() or files):
        check = Check(
            "case",
            Outcome.NOT_MET,
            "You have not written a case. It helps where the other routes do not decide.",
        )
    else:
        added = f", with {files} file{'s' if files > 1 else ''}" if files else ""
        written = "You wrote a case" if claim.case.strip() else "You sent no words"
        check = Check("case", Outcome.PARTLY, f"{written}{added}; a moderator reads it.", {"files": files})
    return Finding(Route.REVIEW, PROVES, SOON, False, (check,))
