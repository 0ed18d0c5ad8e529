"""One portal for the tests of a file that do not mind sharing it."""

from collections.abc import Generator

import pytest

from tests.live.portal import Portal, running_portal


@pytest.fixture(scope="module")
def any_portal() -> Generator[Portal]:
    """A portal on SQLite with an empty district."""
    with running_portal() as portal:
        yield portal
