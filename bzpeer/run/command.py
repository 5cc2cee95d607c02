"""manage.py: any Django command, beside a running demo or without one."""

import contextlib
import os
import sys
import warnings

from bzpeer.run.environment import missing, set_addresses, set_placeholders
from bzpeer.run.place import RunError, default_place, postgres_programs
from bzpeer.run.servers import Servers

# Commands that read code and settings alone; starting servers for them would only cost time.
WITHOUT_SERVERS = {
    "check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "makemessages",
    "makemigrations", "startapp", "startproject", "version",
}  # fmt: skip


def needs_servers(arguments: list[str]) -> bool:
    """Tell whether this command line talks to PostgreSQL or Redis."""
    if not arguments or {"--help", "-h", "--version"} & set(arguments):
        return False
    return arguments[0] not in WITHOUT_SERVERS or any(one.startswith("--database") for one in arguments)


def main(argv: list[str]) -> int:
    """Run one command line; servers started for it stop again with its end."""
    with contextlib.ExitStack() as stack:
        try:
            if not needs_servers(argv[1:]):
                set_placeholders()
                # makemigrations would compare with the database; without one it only warns.
                warnings.filterwarnings(
                    "ignore", message="Got an error checking a consistent migration history"
                )
            elif wanted := missing(os.environ):
                servers = stack.enter_context(Servers(default_place(), wanted))
                set_addresses(servers.addresses())
                if argv[1] == "dbshell":  # psql comes with the server, not with the machine
                    os.environ["PATH"] = (
                        f"{postgres_programs(servers.place)}{os.pathsep}{os.environ.get('PATH', '')}"
                    )
            else:
                set_addresses({})
        except RunError as error:
            print(error, file=sys.stderr)
            return 1
        from django.core.management import execute_from_command_line

        execute_from_command_line(argv)
    return 0
