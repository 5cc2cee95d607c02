"""Find the author of every authorship: by identifier, else by name and evidence (works/matching)."""

from works.services.resolve.passes import Distance, Resolved, distance_from_full, resolve_all, resolve_works

__all__ = ["Distance", "Resolved", "distance_from_full", "resolve_all", "resolve_works"]
