"""Small database expressions."""

from django.db.models import Func, UUIDField


class UUIDv7(Func):
    """PostgreSQL 18's uuidv7(): random enough not to be guessed, ordered by time."""

    function = "uuidv7"
    template = "%(function)s()"
    arity = 0
    output_field = UUIDField()
