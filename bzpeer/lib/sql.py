"""Set-based reads and writes that the ORM has no words for."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

LOCK_SPACE = 0x425A  # "BZ": the first number of our advisory locks


def query(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def execute(sql: str, params: Sequence[Any] = ()) -> int:
    """Run a statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows with COPY. table and columns are ours, never a user's."""
    with connection.cursor() as cursor:
        statement = f"copy {table} ({', '.join(columns)}) from stdin"
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


def update_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], also: str = "") -> int:
    """Update rows (id first, then columns) that differ from what stands; return how many did.

    also: further assignments for those, as SQL. Names are ours, never a user's.
    """
    names = ", ".join(columns)
    assignments = ", ".join(f"{column} = staged.{column}" for column in columns)
    execute(
        f"create temporary table if not exists staged_{table} on commit delete rows as"  # noqa: S608
        f" select id, {names} from {table} with no data"
    )
    execute(f"truncate staged_{table}")
    copy_rows(f"staged_{table}", ("id", *columns), rows)
    return execute(
        f"update {table} set {assignments}{', ' + also if also else ''} from staged_{table} staged"  # noqa: S608
        f" where {table}.id = staged.id and ({', '.join(f'{table}.{c}' for c in columns)})"
        f" is distinct from ({', '.join(f'staged.{c}' for c in columns)})"
    )


def lock_for_transaction(key: int) -> None:
    """Wait for one of our advisory locks; it is let go at the end of the transaction."""
    query("select pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, key])


def lock_text_for_transaction(text: str) -> None:
    """Wait for the advisory lock of a text (an address, a name); it is let go at the end of the transaction."""
    query("select pg_advisory_xact_lock(hashtextextended(%s, %s))", [text, LOCK_SPACE])
