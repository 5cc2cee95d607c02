"""Judge institutions, sources and topics anew from all that mentions or describes them."""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from django.db import transaction

from bzpeer.lib.sql import execute, query, replace_rows, stream, update_rows
from works.ingest.merging import UnionFind, is_live
from works.ingest.records import Identifier, InstitutionRef, SourceRef, TopicRef, decode
from works.models import Institution, Source, Topic
from works.services.catalogue.finding import lock_catalogue
from works.services.entities import find_rows, institution_keys, source_keys
from works.services.entity_records import TELLING, WRITERS, identifiers_of_entity, join_rows
from works.services.search_documents import refresh_institution_search, refresh_topic_search

_MODELS: dict[str, Any] = {"institution": Institution, "source": Source, "topic": Topic}


class Mentions:
    """How works name entities, counted; and which identifiers stand for one thing."""

    def __init__(self) -> None:
        self.groups: dict[str, UnionFind] = defaultdict(UnionFind)
        self.names: dict[str, dict[Identifier, Counter[Any]]] = defaultdict(lambda: defaultdict(Counter))

    def add(self, entity: str, keys: list[Identifier], facts: Any) -> None:
        groups = self.groups[entity]
        groups.find(keys[0])
        for key in keys[1:]:
            groups.join(keys[0], key)
        if facts:
            self.names[entity][keys[0]][facts] += 1


def rederive_entities(say: Callable[[str], None] = lambda words: None) -> None:
    """Join rows that some record says are one thing, name them as most works do, and drop what nothing mentions."""
    with transaction.atomic():
        lock_catalogue()
        mentions = _mentions()
        for entity in ("institution", "source", "topic"):
            groups = mentions.groups[entity]
            nodes = groups.nodes()
            say(f"{len(nodes):,} identifiers of {entity}s")
            _rederive(entity, list(groups.groups(nodes)), mentions)
        for entity in ("institution", "source"):
            _drop_unmentioned(entity)


def _mentions() -> Mentions:
    mentions = Mentions()
    for (payload,) in stream("select payload::text from works_sourcerecord where entity = 'work'"):
        record = decode(payload)
        if not is_live(record):
            continue
        if record.source:
            mentions.add("source", source_keys(record.source), _source_facts(record.source))
        for topic in record.topics:
            mentions.add("topic", [(topic.scheme, topic.value)], _topic_facts(topic))
        for authorship in record.authorships:
            for institution in authorship.institutions:
                if keys := institution_keys(institution):
                    mentions.add("institution", keys, _institution_facts(institution))
    rows = "select entity, payload::text from works_sourcerecord where entity in ('institution', 'source')"
    for entity, payload in stream(rows):
        if keys := identifiers_of_entity(entity, decode(payload, entity), TELLING[entity]):
            mentions.add(entity, keys, None)
    return mentions


def _institution_facts(ref: InstitutionRef) -> tuple[str, ...]:
    return ref.display_name[:512], ref.type, ref.country_code


def _source_facts(ref: SourceRef) -> tuple[str, ...]:
    return ref.display_name[:512], ref.type, ref.host_organization_name


def _topic_facts(ref: TopicRef) -> tuple[str, ...]:
    return (ref.display_name, ref.lineage[0][0] if ref.lineage else "")


_COLUMNS = {
    "institution": ("display_name", "type", "country_code"),
    "source": ("display_name", "type", "host_organization_name"),
    "topic": ("display_name", "parent_id"),
}


def _rederive(entity: str, groups: list[list[Identifier]], mentions: Mentions) -> None:
    standing = find_rows(entity, (identifier for group in groups for identifier in group))
    rows: list[tuple[Any, ...]] = []
    names = mentions.names[entity]
    parents = find_rows(
        "topic",
        {("openalex", facts[1]) for counts in names.values() for facts in counts}
        if entity == "topic"
        else (),
    )
    for group in groups:
        found = sorted({standing[identifier] for identifier in group if identifier in standing})
        if not found:
            continue  # mentioned only by a record whose facts are not the ones shown
        row = join_rows(entity, found) if len(found) > 1 else found[0]
        if entity != "topic":
            _complete_identifiers(entity, row, group, standing)
        counts: Counter[Any] = Counter()
        for identifier in group:
            counts.update(names.get(identifier, {}))
        if counts:
            facts = list(min(counts, key=lambda facts: (-counts[facts], facts)))
            if entity == "topic":
                facts[1] = parents.get(("openalex", facts[1]))
            rows.append((row, *facts))
    also = "" if entity == "source" else "updated_at = now()"
    update_rows(f"works_{entity}", _COLUMNS[entity], rows, also=also)
    numbers = [row[0] for row in rows]
    if entity in WRITERS:
        WRITERS[entity](sorted({*numbers, *standing.values()}))  # what providers say of them counts more
    if entity == "institution":
        execute(
            "update works_institution e set ror = i.ror from (select institution_id, min(value) as ror"
            "  from works_institutionidentifier where scheme = 'ror' group by 1) i"
            " where i.institution_id = e.id and e.ror <> i.ror"
        )
        refresh_institution_search(numbers)
    if entity == "topic":
        refresh_topic_search(numbers)


def _complete_identifiers(
    entity: str, row: int, group: list[Identifier], standing: dict[Identifier, int]
) -> None:
    missing = [identifier for identifier in group if identifier not in standing]
    if missing:
        replace_rows(
            f"works_{entity}identifier", ("scheme", "value", f"{entity}_id"), f"{entity}_id", (),
            [(*identifier, row) for identifier in sorted(missing)],
        )  # fmt: skip


_USED = {
    "institution": (
        "exists (select 1 from works_authorshipinstitution where institution_id = e.id)"
        " or exists (select 1 from works_affiliation where institution_id = e.id)"
        " or exists (select 1 from works_institution where successor_id = e.id)"
    ),
    "source": "exists (select 1 from works_work where source_id = e.id)",
}


def _drop_unmentioned(entity: str) -> None:
    """Delete rows that no work uses, no provider describes and nothing of another app hangs on."""
    model = _MODELS[entity]
    others = [
        f"exists (select 1 from {relation.related_model._meta.db_table} where {relation.field.column} = e.id)"  # noqa: S608
        for relation in model._meta.related_objects
        if relation.related_model._meta.app_label != "works"
    ]
    used = " or ".join([_USED[entity], *others])
    gone = [
        number
        for (number,) in query(
            f"select e.id from works_{entity} e where not ({used}) and not exists (select 1 from works_{entity}identifier i"  # noqa: S608
            " join works_sourcerecord r on r.provider = i.scheme and r.record_id = i.value and r.entity = %s"
            f" where i.{entity}_id = e.id)",
            [entity],
        )
    ]
    execute(f"delete from works_{entity}identifier where {entity}_id = any(%s)", [gone])  # noqa: S608
    execute(f"delete from works_{entity} where id = any(%s)", [gone])  # noqa: S608
