"""The parts of one's own page: what each shows, its form, and what saving it does."""

from abc import ABC, abstractmethod
from typing import Any

from django.core.paginator import Page
from django.forms import Form
from django.http import HttpRequest

from bzpeer.lib.markdown import render_markdown
from bzpeer.lib.pagination import page_of
from profiles import access, author_page
from profiles.access import MemberRequest
from profiles.models import Change, Researcher, ShownWork
from profiles.owner_forms import (
    AvailabilityForm,
    BioForm,
    FormerNameForm,
    LinksForm,
    NameForm,
    NumberForm,
    PhotoForm,
    StepForm,
)
from profiles.services import owner_links, owner_names, owner_photo, owner_works, pages
from trust.queries import trust_snapshot
from works.models import Work
from works.queries import ORDERS, author_works, works_for_card
from works.services import decisions

WORKS_ON_A_PAGE = 25


class Part(ABC):
    """A section: what it shows, its form, and what saving does. save returns what to say, "" where nothing changed."""

    title = ""
    has_form = True

    def form(self, researcher: Researcher, request: HttpRequest | None = None) -> Any:
        """Return the form as it stands, or with what was sent."""
        return None

    @abstractmethod
    def save(self, researcher: Researcher, request: MemberRequest, form: Any) -> str: ...

    def shown(self, researcher: Researcher, request: HttpRequest) -> dict[str, Any]:
        return {}


class BioPart(Part):
    title = "About you"

    def form(self, researcher: Researcher, request: HttpRequest | None = None) -> Form:
        return BioForm(request.POST) if request else BioForm(initial={"bio": researcher.bio})

    def save(self, researcher: Researcher, request: MemberRequest, form: Any) -> str:
        pages.set_bio(researcher=researcher, bio=form.cleaned_data["bio"])
        return "Saved."

    def shown(self, researcher: Researcher, request: HttpRequest) -> dict[str, Any]:
        return {
            "bio_html": render_markdown(researcher.bio),
            "mentions_hidden": owner_names.bio_mentions(researcher),
        }


class LinksPart(Part):
    title = "Links"

    def form(self, researcher: Researcher, request: HttpRequest | None = None) -> Form:
        if request:
            return LinksForm(request.POST)
        links = list(researcher.links.all())
        initial = {f"url_{n}": link.url for n, link in enumerate(links, start=1)}
        initial |= {f"label_{n}": link.label for n, link in enumerate(links, start=1)}
        return LinksForm(initial=initial, rows=min(owner_links.MOST, len(links) + 3))

    def save(self, researcher: Researcher, request: MemberRequest, form: Any) -> str:
        if "again" in request.POST:
            owner_links.ask_again(researcher=researcher)
            return "They are looked at again; what was found shows here within minutes."
        owner_links.set_links(researcher=researcher, links=form.links)
        return "Saved. Whether they link back shows here within minutes."

    def shown(self, researcher: Researcher, request: HttpRequest) -> dict[str, Any]:
        address = request.build_absolute_uri(researcher.author.get_absolute_url())
        return {"links": list(researcher.links.all()), "own_address": address}


class AvailabilityPart(Part):
    title = "Open to collaborate"

    def form(self, researcher: Researcher, request: HttpRequest | None = None) -> Form:
        if request:
            return AvailabilityForm(request.POST)
        initial = {
            "is_open": researcher.open_to_collaborate,
            "scope": researcher.collaboration_scope,
            "role": researcher.collaboration_role,
            "until": researcher.open_until,
        }
        return AvailabilityForm(initial=initial)

    def save(self, researcher: Researcher, request: MemberRequest, form: Any) -> str:
        pages.set_availability(researcher=researcher, **form.cleaned_data)
        return "Saved."

    def shown(self, researcher: Researcher, request: HttpRequest) -> dict[str, Any]:
        return {"availability": author_page.availability(researcher)}


class NamePart(Part):
    title = "Name shown"

    def form(self, researcher: Researcher, request: HttpRequest | None = None) -> Form:
        names = decisions.shown_names(researcher.author_id)[:100]
        chosen = decisions.name_to_show(researcher.author_id)
        if chosen and chosen not in names:
            names.insert(0, chosen)
        if request:
            return NameForm(request.POST, names=names)
        return NameForm(initial={"choice": chosen}, names=names)

    def save(self, researcher: Researcher, request: MemberRequest, form: Any) -> str:
        owner_names.set_name(researcher=researcher, name=form.name)
        return "Saved. The address of your page follows the name; the old one leads on."

    def shown(self, researcher: Researcher, request: HttpRequest) -> dict[str, Any]:
        return {"chosen": decisions.name_to_show(researcher.author_id)}


class FormerNamesPart(Part):
    title = "Former names"

    def form(self, researcher: Researcher, request: HttpRequest | None = None) -> Form:
        return FormerNameForm(request.POST) if request else FormerNameForm()

    def save(self, researcher: Researcher, request: MemberRequest, form: Any) -> str:
        number = request.POST.get("again", "")
        if number:
            known = number.isascii() and number.isdigit() and len(number) < 19
            owner_names.show_name_again(researcher=researcher, override_id=int(number) if known else 0)
            return "The name is shown again where works bear it."
        owner_names.hide_name(researcher=researcher, name=form.cleaned_data["name"])
        return "Hidden. Caches elsewhere forget it as they renew themselves."

    def shown(self, researcher: Researcher, request: HttpRequest) -> dict[str, Any]:
        shown = researcher.author.display_name
        names = [name for name in decisions.shown_names(researcher.author_id) if name != shown]
        return {"hidden": owner_names.hidden_names(researcher), "names": names[:50]}


class PhotoPart(Part):
    title = "Picture"

    def form(self, researcher: Researcher, request: HttpRequest | None = None) -> Form:
        if request:
            return PhotoForm(request.POST, request.FILES)
        return PhotoForm(initial={"alt": owner_photo.value_of(researcher)["alt"]})

    def save(self, researcher: Researcher, request: MemberRequest, form: Any) -> str:
        if "remove" in request.POST:
            owner_photo.remove_photo(researcher=researcher)
            return "The picture is deleted."
        file, alt = form.cleaned_data["photo"], form.cleaned_data["alt"]
        if file is None:
            owner_photo.set_alt(researcher=researcher, alt=alt)
        else:
            data = file.read(owner_photo.MAX_BYTES + 1)
            owner_photo.set_photo(researcher=researcher, data=data, alt=alt)
        return "Saved."

    def shown(self, researcher: Researcher, request: HttpRequest) -> dict[str, Any]:
        return {"photo": author_page.photo_of(researcher)}


class NumberPart(Part):
    title = "Trust number"

    def form(self, researcher: Researcher, request: HttpRequest | None = None) -> Form:
        return NumberForm(request.POST) if request else NumberForm(initial={"shows": researcher.shows_number})

    def save(self, researcher: Researcher, request: MemberRequest, form: Any) -> str:
        pages.set_shows_number(researcher=researcher, shows=form.cleaned_data["shows"])
        return "Saved."

    def shown(self, researcher: Researcher, request: HttpRequest) -> dict[str, Any]:
        return {"snapshot": trust_snapshot(researcher.author)}


class WorksPart(Part):
    title = "Works"
    has_form = False

    def form(self, researcher: Researcher, request: HttpRequest | None = None) -> Form:
        return StepForm(request.POST if request else None)

    def save(self, researcher: Researcher, request: MemberRequest, form: Any) -> str:
        work, step = access.own_work(request.user, form.cleaned_data["work"]), form.cleaned_data["step"]
        if step != "disown":
            owner_works.arrange(researcher=researcher, work=work, step=step)
            return "Saved."
        owner_works.disown(researcher=researcher, work=work)
        return "The work left your page. You can undo that below."

    def shown(self, researcher: Researcher, request: HttpRequest) -> dict[str, Any]:
        shown = ShownWork.objects.filter(researcher=researcher).select_related("work")
        here = set(author_works(researcher.author).values_list("pk", flat=True))
        arranged = [row for row in shown.defer("work__search") if row.work_id in here]
        rest = author_works(researcher.author).exclude(pk__in=[row.work_id for row in arranged])
        rows = works_for_card(rest).order_by(*ORDERS["newest"])
        number = request.POST.get("page") or request.GET.get("page")
        page: Page[Work] = page_of(rows, number, per_page=WORKS_ON_A_PAGE)
        changes = access.own_changes(researcher.user).filter(
            kind=Change.Kind.NOT_MINE, undoes=None, undone_by=None
        )
        gone = {work.pid: work for work in decisions.works_not_theirs(researcher.author_id)}
        undoable = {change.work_pid: change for change in reversed(changes[:200]) if change.work_pid in gone}
        return {
            "arranged": arranged,
            "page": page,
            "not_mine": [(gone[pid], change) for pid, change in reversed(undoable.items())],
        }


PARTS: dict[str, Part] = {
    "name": NamePart(),
    "former-names": FormerNamesPart(),
    "photo": PhotoPart(),
    "bio": BioPart(),
    "links": LinksPart(),
    "availability": AvailabilityPart(),
    "works": WorksPart(),
    "number": NumberPart(),
}
