"""Work off every mark now, in this process: manage.py rebuild"""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from bzpeer.schedule import CHAIN
from works.services.marks import pending


class Command(BaseCommand):
    help = "Rebuild everything that is marked (counts, collaborations, trust, slices …) without waiting for the workers."

    def handle(self, *args: Any, **options: Any) -> None:
        for what, drain in CHAIN.items():
            waiting = pending(what)
            if waiting:
                if sys.stderr.isatty() or options["verbosity"] > 1:
                    self.stderr.write(f"{what.label}: {waiting} marks")
                drain()
        left = pending()
        self.stdout.write(
            "Everything is up to date." if not left else f"{left} marks are left; they are tried again later."
        )
