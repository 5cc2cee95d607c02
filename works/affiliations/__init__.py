"""Affiliation strings to organisations."""

from works.affiliations.index import Known
from works.affiliations.matcher import Match, Matcher

__all__ = ["Known", "Match", "Matcher"]
