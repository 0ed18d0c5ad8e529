"""The WSGI entry point for gunicorn: three doors, each as wide as its callers need."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from safety_portal.surge import SurgeKeeper

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "safety_portal.settings")

HOOKS = "/hooks/"


class Machines(WSGIHandler):
    """Django without middleware, for carriers that call hundreds of times a second.

    They bring a signature and neither session, cookie, language nor page to frame; the
    views behind `/hooks/` check that signature themselves. A third of the CPU is saved.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """None of it."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        to_the_view = self._get_response  # type: ignore[attr-defined]
        self._middleware_chain = convert_exception_to_response(to_the_view)


def doors(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    """Machines to theirs, everybody else through the keeper of public pages."""
    path = environ.get("PATH_INFO", "")
    door = machines if path.startswith(HOOKS) else people
    return door(environ, start_response)


people = SurgeKeeper(get_wsgi_application())
machines = Machines()
application = doors
