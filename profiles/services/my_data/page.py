"""What a member says on the page they hold, their claims, and what institutions say."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q

from profiles.models import (
    Assertion,
    Change,
    Claim,
    ClaimAttachment,
    ClaimConfirmation,
    ClaimEvidence,
    ClaimStep,
    Photo,
    Representative,
    Researcher,
    ResearcherLink,
    ShownWork,
    User,
)
from profiles.services.my_data.kinds import Kind, Row
from trust.models import Evidence, EvidenceDetail


def page_kinds(user: User) -> Iterator[Kind]:
    yield Kind(
        "profile",
        "What you say on the page you hold",
        Researcher.objects.filter(user=user).values(
            "bio", "open_to_collaborate", "collaboration_scope", "collaboration_role", "open_until", "shows_number",
            "created_at", author_pid=F("author__pid"), author_name=F("author__display_name"),
        ),
    )  # fmt: skip
    yield Kind(
        "links",
        "Links on your page",
        ResearcherLink.objects.filter(researcher__user=user).values(
            "url", "label", "position", "checked_at", "links_back_at", "trouble", "created_at"
        ),
    )
    yield Kind(
        "shown_works",
        "Works that you gave a place on your page",
        ShownWork.objects.filter(researcher__user=user).values(
            "position", "is_highlighted", work_pid=F("work__pid"), work_title=F("work__title")
        ),
    )
    yield Kind(
        "photo",
        "Your picture; the file lies beside, as photo.webp",
        Photo.objects.filter(researcher__user=user).values("alt", "digest", "created_at"),
    )
    mine = Q(actor=user) | Q(author__researcher__user=user) | Q(author__merged_into__researcher__user=user)
    yield Kind(
        "changes",
        "Changes that you made, and changes of the page you hold",
        Change.objects.filter(mine)
        .order_by("at")
        .values(
            "id", "kind", "by", "work_pid", "reason", "before", "after", "regrouping_id", "undoes_id", "at",
            author_pid=F("author__pid"), other_pid=F("other__pid"),
        ),
    )  # fmt: skip
    yield Kind("trust_evidence", "What the ledger of trust tells of the page you hold", _evidence(user))


def _evidence(user: User) -> Iterator[Row]:
    """Yield the lines of the page; private details only of what came with this member's own claims."""
    own = tuple(f"claim:{pk}" for pk in Claim.objects.filter(user=user).values_list("pk", flat=True))
    rows = Evidence.objects.filter(author__researcher__user=user).order_by("pk")
    details = dict(
        EvidenceDetail.objects.filter(evidence__in=rows.order_by()).values_list("evidence_id", "detail")
    )
    for row in rows.values(
        "id", "kind", "source", "meets_route", "observed_at", "expires_at", "recorded_at", "ends_id", "event_key"
    ):  # fmt: skip
        is_own = row["event_key"].startswith(own)
        yield {**row, "detail": details.get(row["id"], {}) if is_own else {}}


def claims_kinds(user: User) -> Iterator[Kind]:
    yield Kind(
        "claims",
        "Your claims on pages",
        Claim.objects.filter(user=user)
        .order_by("created_at")
        .values(
            "id", "state", "case", "decided_by_route", "link_url", "link_token", "created_at", "decided_at", "due_at",
            "contestable_until", author_pid=F("author__pid"), author_name=F("author__display_name"),
        ),
    )  # fmt: skip
    step = ("claim_id", "from_state", "to_state", "by", "route", "reason", "at")
    yield Kind(
        "claim_steps",
        "What became of your claims, and why",
        ClaimStep.objects.filter(claim__user=user).order_by("pk").values(*step),
    )
    yield Kind(
        "claim_evidence",
        "What was found for your claims",
        ClaimEvidence.objects.filter(claim__user=user)
        .order_by("pk")
        .values("claim_id", "route", "check_name", "outcome", "sentence", "observed_at"),
    )
    attachments = ClaimAttachment.objects.filter(claim__user=user).order_by("pk")
    yield Kind(
        "claim_attachments",
        "Files that you sent with a claim; they lie beside, in attachments/",
        (
            {**row, "file": attachment_path(row["id"], row["name"])}
            for row in attachments.values("id", "claim_id", "name", "content_type", "size", "created_at")
        ),
    )
    yield Kind("claim_confirmations", "Co-authors who were asked about your claims", _confirmations(user))
    yield Kind(
        "confirmations_asked",
        "Claims of co-authors about which you were asked, and your answers",
        ClaimConfirmation.objects.filter(asked=user)
        .order_by("pk")
        .values(
            "id", "state", "note", "created_at", "answered_at",
            claimed_author_pid=F("claim__author__pid"), author_pid=F("author__pid"),
        ),
    )  # fmt: skip


def _confirmations(user: User) -> Iterator[Row]:
    """Yield who was asked. Only a yes is told: who said no said it to the moderators."""
    rows = ClaimConfirmation.objects.filter(claim__user=user).order_by("pk")
    for row in rows.values("claim_id", "state", "created_at", author_name=F("author__display_name")):
        confirmed = row["state"] == ClaimConfirmation.State.CONFIRMED
        yield {**row, "state": "confirmed" if confirmed else "not confirmed"}


def institutions_kinds(user: User) -> Iterator[Kind]:
    yield Kind(
        "representations",
        "Institutions for which you speak, spoke or asked to speak",
        Representative.objects.filter(user=user)
        .order_by("created_at")
        .values(
            "id", "email", "position", "state", "answer", "created_at", "decided_at",
            institution_pid=F("institution__pid"), institution_name=F("institution__display_name"),
        ),
    )  # fmt: skip
    mine = (
        Q(representative__user=user)
        | Q(author__researcher__user=user)
        | Q(author__merged_into__researcher__user=user)
    )
    yield Kind(
        "assertions",
        "What you said for an institution, and what institutions say of you",
        Assertion.objects.filter(mine)
        .order_by("created_at")
        .values(
            "id", "role", "since", "evidence_id", "representative_id", "created_at", "expires_at", "revoked_at",
            author_pid=F("author__pid"), institution_pid=F("institution__pid"),
            institution_name=F("institution__display_name"),
        ),
    )  # fmt: skip


def attachment_path(pk: Any, name: str) -> str:
    """Return where an attachment lies in the export: two may have the same name, and a name may be a path."""
    plain = "".join(c if c.isalnum() or c in "._- " else "_" for c in name).strip(" .")
    return f"attachments/{pk}/{plain or 'file'}"
