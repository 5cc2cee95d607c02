"""Set-based reads and writes that the ORM has no words for."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

LOCK_SPACE = 0x425A  # "BZ": the first number of our advisory locks


def query(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def stream(sql: str, params: Sequence[Any] = (), at_once: int = 2000) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query in constant memory. Call it in a transaction."""
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor(name="stream") as cursor:
        cursor.itersize = at_once
        cursor.execute(sql, params)
        yield from cursor


def execute(sql: str, params: Sequence[Any] = ()) -> int:
    """Run a statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows with binary COPY, in the columns' own types. table and columns are ours, never a user's.

    A value of a jsonb column is Jsonb(...), or encoded_json(...) where it is JSON text already.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select array_agg(attribute.atttypid::bigint order by wanted.place)"
            " from unnest(%s::text[]) with ordinality wanted (name, place)"
            " join pg_attribute attribute on attribute.attrelid = %s::regclass and attribute.attname = wanted.name",
            [list(columns), table],
        )
        types = cursor.fetchone()[0]
        statement = f"copy {table} ({', '.join(columns)}) from stdin (format binary)"
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


def replace_rows(
    table: str, columns: Sequence[str], owner: str, owners: Iterable[int], rows: list[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Make rows the only ones of their owners; return those that were not there. Rows of new owners are copied at once.

    owners: who may have rows already. table and columns are ours, never a user's.
    """
    owners = list(owners)
    if owners:
        names = ", ".join(columns)
        standing = query(f"select id, {names} from {table} where {owner} = any(%s)", [owners])  # noqa: S608
        wanted = set(rows)
        gone = [row[0] for row in standing if row[1:] not in wanted]
        if gone:
            execute(f"delete from {table} where id = any(%s)", [gone])  # noqa: S608
        there = {row[1:] for row in standing}
        rows = [row for row in rows if row not in there]
    if rows:
        copy_rows(table, columns, rows)
    return rows


def encoded_json(text: bytes | str) -> Jsonb:
    """Return JSON text as a value for copy_rows, without decoding it."""
    return Jsonb(text, dumps=_same)


def _same(text: Any) -> Any:
    return text


def new_ids(table: str, count: int) -> list[int]:
    """Take that many ids from a table's sequence, for rows that are written with COPY."""
    ((lowest, highest, several),) = query(
        "with taken as materialized (select nextval(pg_get_serial_sequence(%s, 'id')) n from generate_series(1, %s))"
        " select min(n), max(n), case when max(n) - min(n) + 1 <> count(*) then array_agg(n) end from taken",
        [table, count],
    )
    return several or list(range(lowest, highest + 1)) if count else []


def update_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], also: str = "") -> int:
    """Update rows (id first, then columns) that differ from what stands; return how many did.

    also: further assignments for those, as SQL. Names are ours, never a user's.
    """
    names = ", ".join(columns)
    assignments = ", ".join(f"{column} = staged.{column}" for column in columns)
    execute(f"drop table if exists pg_temp.staged_{table}")
    execute(
        f"create temporary table staged_{table} on commit drop as"  # noqa: S608
        f" select id, {names} from {table} with no data"
    )
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
