"""The surge an alert causes: 80,000 people open one page within minutes.

In front of Django, each web process keeps the public alert pages it has made for two
seconds and answers from memory. Only what the page itself allows to be kept (public,
no cookies) is kept, for one address and one host, and one request at a time makes it
anew. Nothing about readers is looked at or stored.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Key = tuple[str, str, str, str]

KEEP_SECONDS = 2.0
MOST_PAGES = 256
PREFIX = "/a/"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer as it was given, and until when it may be given again."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    until: float


class SurgeKeeper:
    """A WSGI application that answers repeated public pages without asking Django."""

    def __init__(
        self, application: Application, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._application = application
        self._clock = clock
        self._pages: dict[Key, Page] = {}
        self._making: dict[Key, threading.Lock] = {}
        self._door = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse):
        if (
            environ.get("REQUEST_METHOD") != "GET"
            or not environ.get("PATH_INFO", "").startswith(PREFIX)
            or environ.get("QUERY_STRING")
        ):
            return self._application(environ, start_response)
        key = (
            environ["PATH_INFO"],
            environ.get("HTTP_HOST", ""),
            environ.get("wsgi.url_scheme", ""),
            environ.get("HTTP_X_FORWARDED_PROTO", ""),
        )
        page = self._kept(key)
        if page is None:
            with self._lock_for(key):
                page = self._kept(key) or self._make(key, environ)
        start_response(page.status, page.headers)
        return [page.body]

    def _kept(self, key: Key) -> Page | None:
        page = self._pages.get(key)
        return page if page is not None and self._clock() < page.until else None

    def _lock_for(self, key: Key) -> threading.Lock:
        with self._door:
            if len(self._pages) + len(self._making) > MOST_PAGES:
                self._pages.clear()
                self._making.clear()
            return self._making.setdefault(key, threading.Lock())

    def _make(self, key: Key, environ: Environ) -> Page:
        """Ask Django, and keep the answer where the answer allows it."""
        said: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            said.update(status=status, headers=headers)

        answer = self._application(environ, start)
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        page = Page(said["status"], said["headers"], body, self._clock() + KEEP_SECONDS)
        if may_keep(page):
            self._pages[key] = page
        return page


def may_keep(page: Page) -> bool:
    """True for a whole page that says it is public and sets no cookie."""
    named = {name.lower(): value for name, value in page.headers}
    return (
        page.status.startswith("200")
        and "public" in named.get("cache-control", "")
        and "set-cookie" not in named
    )
