from typing import Any

from django.core.management.base import BaseCommand, CommandError

from graph.services.collaborations import check_collaborations


class Command(BaseCommand):
    help = "Compute every collaboration anew from the works and compare with what is stored."

    def handle(self, *args: Any, **options: Any) -> None:
        found = check_collaborations()
        if not found.agrees:
            raise CommandError(
                f"Of {found.pairs} pairs {found.missing} are missing and {found.different} differ;"
                f" {found.surplus} are stored that no work gives;"
                f" {found.wrong_close_counts} authors have a wrong count of close collaborators."
            )
        self.stdout.write(f"{found.pairs} pairs agree with the works.")
