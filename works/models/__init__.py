from works.models.author import Author, AuthorIdentifier, AuthorName, Authorship, AuthorshipInstitution
from works.models.curation import (
    AuthorshipDecision,
    NameOverride,
    RecordDecision,
    Redirect,
    RegroupedLine,
    Regrouping,
    Suggestion,
    Suppression,
)
from works.models.institution import Affiliation, Institution, InstitutionIdentifier
from works.models.mark import Mark
from works.models.provenance import Entity, ImportFile, ImportReject, ImportRun, Provider, SourceRecord
from works.models.source import Source, SourceIdentifier
from works.models.sync import SyncRequest, SyncStep
from works.models.topic import Topic, TopicIdentifier, WorkTopic
from works.models.work import Citation, Work, WorkIdentifier

__all__ = [
    "Affiliation",
    "Author",
    "AuthorIdentifier",
    "AuthorName",
    "Authorship",
    "AuthorshipDecision",
    "AuthorshipInstitution",
    "Citation",
    "Entity",
    "ImportFile",
    "ImportReject",
    "ImportRun",
    "Institution",
    "InstitutionIdentifier",
    "Mark",
    "NameOverride",
    "Provider",
    "RecordDecision",
    "Redirect",
    "RegroupedLine",
    "Regrouping",
    "Source",
    "SourceIdentifier",
    "SourceRecord",
    "Suggestion",
    "Suppression",
    "SyncRequest",
    "SyncStep",
    "Topic",
    "TopicIdentifier",
    "Work",
    "WorkIdentifier",
    "WorkTopic",
]
