"""Read JSON into typed shapes, quickly where it is as it should be and patiently where it is not.

A shape is a msgspec Struct of the fields that are read; each may be absent or null. msgspec passes over all
other fields without making objects of them.
"""

from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

S = TypeVar("S", bound=msgspec.Struct)
NOT_JSON = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


@cache
def _decoder(shape: type[S]) -> msgspec.json.Decoder[S]:
    return msgspec.json.Decoder(shape)


@cache
def _fields(shape: type[Any]) -> dict[str, Any]:
    return get_type_hints(shape)


def decode_shape(raw: bytes | msgspec.Raw, shape: type[S]) -> S:
    """Return JSON as a shape; a value of another type than it should be counts as absent.

    Raises msgspec.DecodeError, RecursionError or UnicodeDecodeError for what is no JSON, TypeError for what
    is no object.
    """
    try:
        return _decoder(shape).decode(raw)
    except msgspec.ValidationError:
        fitted: S | None = fit(msgspec.json.decode(raw), shape)
        if fitted is None:
            raise TypeError("not an object") from None
        return fitted


def fit(value: Any, kind: Any) -> Any:
    """Return a value as what it should be, without the parts that are not; None where nothing is."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        pass
    origin, arguments = get_origin(kind), get_args(kind)
    if NoneType in arguments:
        options = (fit(value, option) for option in arguments if option is not NoneType)
        return next((option for option in options if option is not None), None)
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        known = _fields(kind)
        return kind(**{name: fit(part, known[name]) for name, part in value.items() if name in known})
    if isinstance(value, list) and origin is list:
        return [fit(part, arguments[0]) for part in value]
    if isinstance(value, dict) and origin is dict:
        return {name: fit(part, arguments[1]) for name, part in value.items()}
    return None


def text(value: str | None) -> str:
    if not value:
        return ""
    return (value.replace("\x00", "") if "\x00" in value else value).strip()
