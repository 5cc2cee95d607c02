"""Imports run one way: profiles > trust > graph > works > bzpeer.lib (DESIGN's house order)."""

import ast
from collections.abc import Iterator
from pathlib import Path
from unittest import TestCase

ROOT = Path(__file__).parent.parent
ORDER = ["profiles", "trust", "graph", "works", "bzpeer.lib"]
# Join everything, and are imported by nothing but Django, Celery and each other.
JOINTS = {"bzpeer.urls", "bzpeer.api_urls", "bzpeer.schedule", "bzpeer.management"}
INSIDE = ["models", "queries", "services", "tasks", "views"]


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def layer_of(module: str) -> str | None:
    return next((layer for layer in ORDER if module == layer or module.startswith(f"{layer}.")), None)


def sources() -> list[Path]:
    folders = ["bzpeer", "profiles", "trust", "graph", "works"]
    return [
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts
    ]


class ImportOrderTests(TestCase):
    def test_every_layer_is_walked(self) -> None:
        self.assertEqual({layer_of(module_of(path)) for path in sources()} - {None}, set(ORDER))

    def test_no_layer_imports_one_above_it(self) -> None:
        wrong = [
            f"{module_of(path)} imports {name}"
            for path in sources()
            if (ours := layer_of(module_of(path)))
            for name in imports_of(path)
            if (theirs := layer_of(name)) and ORDER.index(theirs) < ORDER.index(ours)
        ]
        self.assertEqual(wrong, [])

    def test_nothing_imports_what_joins_everything(self) -> None:
        wrong = [
            f"{module_of(path)} imports {name}"
            for path in sources()
            if not any(module_of(path).startswith(joint) for joint in JOINTS)
            for name in imports_of(path)
            if any(name == joint or name.startswith(f"{joint}.") for joint in JOINTS)
        ]
        self.assertEqual(wrong, [])

    def test_the_running_layer_knows_no_app(self) -> None:
        wrong = [
            f"{module_of(path)} imports {name}"
            for path in (ROOT / "bzpeer" / "run").rglob("*.py")
            for name in imports_of(path)
            if layer_of(name) not in {None, "bzpeer.lib"}
        ]
        self.assertEqual(wrong, [])

    def test_inside_an_app_models_know_no_services_and_services_no_views(self) -> None:
        wrong = []
        for path in sources():
            app, _, rest = module_of(path).partition(".")
            ours = next(
                (i for i, part in enumerate(INSIDE) if rest == part or rest.startswith(f"{part}.")), None
            )
            if ours is None:
                continue
            for name in imports_of(path):
                theirs = next((i for i, part in enumerate(INSIDE) if name.startswith(f"{app}.{part}")), None)
                # A service may ring its app's task; the task imports the service inside its body.
                if theirs is not None and theirs > ours and INSIDE[theirs] != "tasks":
                    wrong.append(f"{module_of(path)} imports {name}")
        self.assertEqual(wrong, [])

    def test_records_hold_no_foreign_key_to_people(self) -> None:
        from django.apps import apps
        from django.contrib.auth import get_user_model

        user = get_user_model()
        keys = [
            str(field)
            for app in ("works", "graph", "trust")
            for model in apps.get_app_config(app).get_models()
            for field in model._meta.get_fields()
            if field.concrete and field.related_model is user
        ]
        self.assertEqual(keys, [])
