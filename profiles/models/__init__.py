from profiles.models.claim import (
    By,
    Claim,
    ClaimAttachment,
    ClaimConfirmation,
    ClaimEvidence,
    ClaimStep,
    Route,
)
from profiles.models.conversation import Conversation, Message, MessageVersion, Participant, Report
from profiles.models.curation import CurationRequest
from profiles.models.follow import Block, Follow
from profiles.models.history import AnswerTemplate, AuditEntry, CarriedFollow, Change, DataExport, Proposal
from profiles.models.invitation import Introduction, Invitation, Project
from profiles.models.notification import Notification, OutgoingMail
from profiles.models.preferences import (
    MailChoice,
    MailTrouble,
    NotInterested,
    Preferences,
    Recommendation,
    SavedSearch,
)
from profiles.models.researcher import Assertion, Photo, Representative, Researcher, ResearcherLink, ShownWork
from profiles.models.user import User
from profiles.models.vouch import Vouch

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
    "Introduction",
    "Invitation",
    "MailChoice",
    "MailTrouble",
    "Message",
    "MessageVersion",
    "NotInterested",
    "Notification",
    "OutgoingMail",
    "Participant",
    "Photo",
    "Preferences",
    "Project",
    "Proposal",
    "Recommendation",
    "Report",
    "Representative",
    "Researcher",
    "ResearcherLink",
    "Route",
    "SavedSearch",
    "ShownWork",
    "User",
    "Vouch",
]
