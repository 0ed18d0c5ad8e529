"""One carrier process for the whole room, forgetful between tests."""

import pytest

from safety_portal.sandbox.client import running_carrier

from .callers import ACCOUNT, TOKEN, Portal


@pytest.fixture(scope="session")
def carrier_process():
    with running_carrier(
        account_sid=ACCOUNT, auth_token=TOKEN, portal_url="http://127.0.0.1:8000"
    ) as carrier:
        yield carrier


@pytest.fixture
def carrier(carrier_process):
    carrier_process.reset()
    yield carrier_process
    assert carrier_process.stats()["crashes"] == 0


@pytest.fixture
def portal():
    with Portal() as portal:
        yield portal
