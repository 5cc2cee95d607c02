from profiles.models.claim import Claim, ClaimStep, CurationRequest, Researcher
from profiles.models.conversation import Conversation, Message, Participant, Report
from profiles.models.follow import Block, Follow
from profiles.models.invitation import Invitation
from profiles.models.notification import Notification, OutgoingMail
from profiles.models.user import User

__all__ = [
    "Block",
    "Claim",
    "ClaimStep",
    "Conversation",
    "CurationRequest",
    "Follow",
    "Invitation",
    "Message",
    "Notification",
    "OutgoingMail",
    "Participant",
    "Report",
    "Researcher",
    "User",
]
