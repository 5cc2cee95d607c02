"""Join and divide records: moderators do it, owners propose it, and each step can be taken back by itself."""

from profiles.services.regrouping.doing import (
    UNDOABLE,
    may_undo,
    merge,
    merge_works,
    split,
    split_work,
    standing_first,
    undo_change,
)
from profiles.services.regrouping.proposing import (
    OF_RECORDS,
    accept,
    address_of,
    decline,
    page_of,
    propose,
    records_named,
    withdraw,
)

__all__ = [
    "OF_RECORDS",
    "UNDOABLE",
    "accept",
    "address_of",
    "decline",
    "may_undo",
    "merge",
    "merge_works",
    "page_of",
    "propose",
    "records_named",
    "split",
    "split_work",
    "standing_first",
    "undo_change",
    "withdraw",
]
