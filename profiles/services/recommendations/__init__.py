"""What is recommended to a member, with reasons. Never from trust, never from what people write to each other."""

from profiles.services.recommendations.keeping import (
    ask,
    is_being_worked_out,
    not_interested,
    recommend,
    recommend_active,
    undo_not_interested,
)

__all__ = [
    "ask",
    "is_being_worked_out",
    "not_interested",
    "recommend",
    "recommend_active",
    "undo_not_interested",
]
