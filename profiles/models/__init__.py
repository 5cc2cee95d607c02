from profiles.models.claim import (
    By,
    Claim,
    ClaimAttachment,
    ClaimConfirmation,
    ClaimEvidence,
    ClaimStep,
    Route,
)
from profiles.models.conversation import Conversation, Message, Participant, Report
from profiles.models.curation import CurationRequest
from profiles.models.follow import Block, Follow
from profiles.models.history import AnswerTemplate, AuditEntry, CarriedFollow, Change, DataExport, Proposal
from profiles.models.invitation import Invitation
from profiles.models.notification import Notification, OutgoingMail
from profiles.models.researcher import Assertion, Photo, Representative, Researcher, ResearcherLink, ShownWork
from profiles.models.user import User

__all__ = [
    "AnswerTemplate",
    "Assertion",
    "AuditEntry",
    "Block",
    "By",
    "CarriedFollow",
    "Change",
    "Claim",
    "ClaimAttachment",
    "ClaimConfirmation",
    "ClaimEvidence",
    "ClaimStep",
    "Conversation",
    "CurationRequest",
    "DataExport",
    "Follow",
    "Invitation",
    "Message",
    "Notification",
    "OutgoingMail",
    "Participant",
    "Photo",
    "Proposal",
    "Report",
    "Representative",
    "Researcher",
    "ResearcherLink",
    "Route",
    "ShownWork",
    "User",
]
