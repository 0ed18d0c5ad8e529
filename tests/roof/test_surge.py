"""The keeper in front of Django: fast for public pages, blind to everything else."""

import threading
import time

import pytest

from safety_portal.surge import KEEP_SECONDS, SurgeKeeper

PUBLIC = [("Cache-Control", "public, max-age=5"), ("Content-Type", "text/html")]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Django:
    """An application that counts how often it is asked."""

    def __init__(self, status="200 OK", headers=PUBLIC, takes=0.0) -> None:
        self.status, self.headers, self.takes = status, list(headers), takes
        self.asked = 0

    def __call__(self, environ, start_response):
        self.asked += 1
        time.sleep(self.takes)
        start_response(self.status, self.headers)
        return [f"answer {self.asked}".encode()]


def ask(keeper, path="/a/abc", *, method="GET", host="portal", query="") -> str:
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_HOST": host,
        "QUERY_STRING": query, "wsgi.url_scheme": "http",
    }  # fmt: skip
    return b"".join(keeper(environ, lambda *_: None)).decode()


def test_a_page_is_made_once_and_given_to_all_who_ask_within_two_seconds():
    django, clock = Django(), Clock()
    keeper = SurgeKeeper(django, clock)
    assert {ask(keeper) for _ in range(50)} == {"answer 1"}
    clock.now += KEEP_SECONDS
    assert ask(keeper) == "answer 2"


@pytest.mark.parametrize(
    "different",
    [{"path": "/a/abc/es"}, {"host": "other"}, {"path": "/a/abd"}],
    ids=["language", "host", "alert"],
)
def test_another_page_is_another_page(different):
    keeper = SurgeKeeper(Django())
    assert ask(keeper) == "answer 1"
    assert ask(keeper, **different) == "answer 2"


@pytest.mark.parametrize(
    "request_",
    [{"method": "POST"}, {"path": "/alerts/1"}, {"path": "/tip"}, {"query": "x=1"}],
    ids=["post", "staff", "tip", "query"],
)
def test_everything_else_goes_straight_through(request_):
    keeper = SurgeKeeper(Django())
    assert ask(keeper, **request_) == "answer 1"
    assert ask(keeper, **request_) == "answer 2"


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("404 Not Found", PUBLIC),
        ("500 Internal Server Error", PUBLIC),
        ("200 OK", [("Cache-Control", "private")]),
        ("200 OK", []),
        ("200 OK", [*PUBLIC, ("Set-Cookie", "sessionid=1")]),
    ],
    ids=["404", "500", "private", "silent", "cookie"],
)
def test_only_whole_public_pages_without_cookies_are_kept(status, headers):
    keeper = SurgeKeeper(Django(status, headers))
    assert ask(keeper) == "answer 1"
    assert ask(keeper) == "answer 2"


def test_a_hundred_readers_at_once_make_one_page():
    django = Django(takes=0.05)
    keeper = SurgeKeeper(django)
    readers = [threading.Thread(target=ask, args=(keeper,)) for _ in range(100)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert django.asked == 1


def test_guessing_links_does_not_fill_the_memory():
    keeper = SurgeKeeper(Django())
    for n in range(2_000):
        ask(keeper, path=f"/a/{n}")
    assert len(keeper._pages) + len(keeper._making) < 600
