"""Rows about one member with something of its own in every column, to be looked for afterwards."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model
from django.db.models.fields import (
    BinaryField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    EmailField,
    GenericIPAddressField,
    IntegerField,
    TextField,
    URLField,
    UUIDField,
)
from django.db.models.fields.json import JSONField

from profiles.models import User

M = TypeVar("M", bound=Model)


def models_of_people() -> set[type[Model]]:
    """Return every model from which foreign keys lead to User, over however many others."""
    reached: set[type[Model]] = {User}
    while True:
        more = {
            model
            for model in apps.get_models()
            if model not in reached and any(f.related_model in reached for f in model._meta.concrete_fields)
        }
        if not more:
            return reached
        reached |= more


class Planter:
    """Makes rows whose every column holds a value that stands nowhere else."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.rows: dict[type[Model], Model] = {}

    def plant(self, model: type[M], **given: Any) -> M:
        """Return a new row of model; given: what must be as it is (foreign keys, states)."""
        fields = [f for f in model._meta.concrete_fields if not f.primary_key and f.name not in given]
        row = model._base_manager.create(**given, **{f.name: self.value(f) for f in fields if self.fits(f)})
        row.refresh_from_db()
        self.rows[model] = row
        return row

    def fits(self, field: "Field[Any, Any]") -> bool:
        told = isinstance(field, BooleanField) or field.choices or field.is_relation
        return not told and not getattr(field, "auto_now_add", False)

    def value(self, field: "Field[Any, Any]") -> Any:
        number = next(self.numbers)
        word = f"cn{number:05d}"
        values: list[tuple[type, Any]] = [
            (EmailField, f"{word}@example.org"),
            (URLField, f"https://{word}.example"),
            (GenericIPAddressField, f"198.51.100.{number % 250}"),
            (DateTimeField, datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=number)),
            (DateField, date(2040, 1, 1) + timedelta(days=number)),
            (IntegerField, 20_000 + number),
            (JSONField, {"canary": word}),
            (BinaryField, word.encode()),
            (UUIDField, uuid4()),
            (CharField, word),
            (TextField, word),
        ]
        return next(value for kind, value in values if isinstance(field, kind))


def looked_for(value: Any) -> str:
    """Return the text by which a value is found in an export."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode()
    if isinstance(value, list):
        value = value[0]
    text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    return text.strip("{}") if isinstance(value, dict) else text.strip('"')
