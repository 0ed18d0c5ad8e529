"""What must be done before the portal opens: tables, static files, the demo district.

One process for all of it, because each start of Django costs a second. Output is for
the log; the demo's sign-ins go to the file named on the command line.
"""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command


def main(accounts: Path) -> None:
    """Bring the database and the static files to what the code expects."""
    call_command("migrate", interactive=False, verbosity=1)
    call_command("collectstatic", interactive=False, verbosity=1)
    scale = os.environ.get("SCALE", "")
    if scale == "none" or not settings.DEMO:
        return
    if not get_user_model().objects.exists():
        call_command("demo", *(["--scale", scale] if scale else []))
    with accounts.open("w") as out:
        call_command("demo", "--accounts", stdout=out)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "safety_portal.settings")
    django.setup()
    main(Path(sys.argv[1]))
