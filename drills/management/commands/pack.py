"""manage.py pack check FILE …: is this requirement pack right, and if not, where?"""

import sys
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from drills.pack_files import FOLDER, BadPack, read_file
from drills.rules.packs import CHECK_WITH_COUNSEL, NOT_LEGAL_ADVICE


class Command(BaseCommand):
    help = "Check requirement packs; every error with its line, exit 1 if there is one."
    requires_system_checks: list[str] = []  # it reads files and nothing else

    def add_arguments(self, parser: ArgumentParser) -> None:
        doing = parser.add_subparsers(dest="doing", required=True)
        check = doing.add_parser("check", help="check files and say what they ask")
        check.add_argument("files", nargs="+", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        bad = [path for path in options["files"] if not self._check(path)]
        self.stdout.write(NOT_LEGAL_ADVICE)
        if bad:
            sys.exit(1)

    def _check(self, path: Path) -> bool:
        try:
            pack = read_file(path, chains=_chains())
        except OSError as wrong:
            self.stderr.write(f"{path}: {wrong.strerror or wrong}")
            return False
        except BadPack as wrong:
            for problem in wrong.problems:
                self.stderr.write(f"{path}:{problem.line}: {problem.text}")
            return False
        links = [link.binding for chain in pack.chains for link in chain.links]
        bindings = [rule.binding for rule in pack.rules] + links
        open_ones = sum(not one.verified for one in bindings)
        self.stdout.write(
            f"{path}: {pack.title}, {len(pack.rules)} rules and {len(links)} links of "
            f"a chain, {open_ones} of them to {CHECK_WITH_COUNSEL}."
        )
        return True


def _chains() -> set[str]:
    """The chains of the bundled packs; one that cannot be read is told elsewhere."""
    found: set[str] = set()
    for path in FOLDER.glob("*.toml"):
        with suppress(BadPack):
            found |= {chain.id for chain in read_file(path).chains}
    return found
