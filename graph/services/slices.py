"""Slices asked for, built in batches, kept until what they draw changes."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from bzpeer.lib.doorbell import ring
from graph.algorithms.payload import METHOD_VERSION
from graph.models import GraphSlice
from graph.neighbourhoods import read_neighbourhoods
from works.models import Author, Mark
from works.services.marks import mark

BATCH = 20  # a batch commits in about two seconds, so that whoever waits sees their slice soon
OLD_AFTER = timedelta(days=7)
_AHEAD = timedelta(days=1)  # somebody waits: goes before the slices that are built ahead


def request_slice(kind: str, object_id: int, size: str) -> GraphSlice:
    """Return the slice of a subject; ask a worker to build it where it is missing, old or of an old method.

    It is asked for again once a minute at most, so that a busy page leaves one mark, not many.
    """
    found = GraphSlice.objects.filter(kind=kind, object_id=object_id, size=size).first()
    now = timezone.now()
    if found and found.payload is not None and found.method_version == METHOD_VERSION:
        fresh = found.built_at is not None and found.built_at > now - OLD_AFTER
        if fresh:
            return found
    with transaction.atomic():
        created = False
        if found is None:
            found, created = GraphSlice.objects.get_or_create(kind=kind, object_id=object_id, size=size)
        asked = GraphSlice.objects.filter(pk=found.pk, requested_at__lt=now - timedelta(minutes=1))
        if created or asked.update(requested_at=now):
            _ask([found.pk], "a page shows it", first=True)
    return found


def _ask(slice_ids: Iterable[int], why: str, first: bool = False) -> None:
    from graph.tasks import drain_slices

    slice_ids = list(slice_ids)
    mark(Mark.What.SLICE, slice_ids, why)
    if first:
        waiting = Mark.objects.filter(what=Mark.What.SLICE, object_id__in=slice_ids, attempts=0, dead=False)
        waiting.update(run_at=timezone.now() - _AHEAD)
    ring(drain_slices)


@transaction.atomic
def request_popular_slices(limit: int = 200) -> int:
    """Ask for the panels of the authors with the most works ahead of their readers; return how many are new."""
    authors = Author.objects.public().filter(works_count__gt=0)
    ids = list(authors.order_by("-works_count", "id").values_list("id", flat=True)[:limit])
    rows = {"kind": GraphSlice.Kind.AUTHOR, "size": GraphSlice.Size.PANEL}
    GraphSlice.objects.bulk_create(
        (GraphSlice(object_id=author_id, **rows) for author_id in ids), ignore_conflicts=True
    )
    missing = GraphSlice.objects.filter(object_id__in=ids, payload__isnull=True, **rows)
    slice_ids = list(missing.values_list("id", flat=True))
    if slice_ids:
        _ask(slice_ids, "built ahead")
    return len(slice_ids)


@transaction.atomic
def build_slices(slice_ids: list[int]) -> None:
    """Build these slices from the facts of now; those of subjects that have no page any more are deleted.

    Handler of Mark.What.SLICE; running it twice gives the same slices.
    """
    from graph.algorithms.drawing import build_payload  # networkx and numpy: workers need them, pages do not

    groups: dict[str, list[GraphSlice]] = defaultdict(list)
    for found in GraphSlice.objects.filter(id__in=slice_ids).defer("payload").order_by("id"):
        groups[found.kind].append(found)
    now = timezone.now()
    built, gone = [], []
    for kind, slices in groups.items():
        around = read_neighbourhoods(kind, (found.object_id for found in slices))
        for found in slices:
            if found.object_id not in around:
                gone.append(found.pk)
                continue
            explorer = found.size == GraphSlice.Size.EXPLORER
            payload = build_payload(around[found.object_id], explorer=explorer)
            found.payload = payload
            found.author_ids = sorted(node["id"] for node in payload["nodes"] if node["kind"] == "author")
            found.method_version, found.built_at = METHOD_VERSION, now
            built.append(found)
    GraphSlice.objects.bulk_update(
        built, ["payload", "author_ids", "method_version", "built_at"], batch_size=100
    )
    GraphSlice.objects.filter(id__in=gone).delete()
