"""A claim says "this user is this author": filing it, deciding it, letting it go (states: profiles/claims/states.py)."""

from profiles.services.claims.attachments import add_attachments, remove_attachment
from profiles.services.claims.confirmations import (
    ask_coauthors,
    could_be_asked,
    is_open_confirmation,
)
from profiles.services.claims.deadlines import claims_due
from profiles.services.claims.decisions import (
    appeal_claim,
    approve_claim,
    dispute_claim,
    give_up_claim,
    is_read_only,
    reject_claim,
    review_claim,
    revoke_claim,
    uphold_claim,
    withdraw_claim,
)
from profiles.services.claims.filing import (
    answer_confirmation,
    decide_by_evidence,
    deciding,
    evidence_may_decide,
    look_again,
    look_at_open_claims,
    submit_claim,
    update_case,
)
from profiles.services.claims.steps import events_for, rivals_of, takes_more

__all__ = [
    "add_attachments",
    "answer_confirmation",
    "appeal_claim",
    "approve_claim",
    "ask_coauthors",
    "claims_due",
    "could_be_asked",
    "decide_by_evidence",
    "deciding",
    "dispute_claim",
    "events_for",
    "evidence_may_decide",
    "give_up_claim",
    "is_open_confirmation",
    "is_read_only",
    "look_again",
    "look_at_open_claims",
    "reject_claim",
    "remove_attachment",
    "review_claim",
    "revoke_claim",
    "rivals_of",
    "submit_claim",
    "takes_more",
    "update_case",
    "uphold_claim",
    "withdraw_claim",
]
