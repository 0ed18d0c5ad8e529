"""A real carrier for the delivery tests: Twilio's API and SMTP on loopback."""

from collections.abc import Generator

import pytest

from safety_portal.sandbox.client import CarrierClient, running_carrier

ACCOUNT, TOKEN = "AC" + "5" * 32, "a-token-of-the-tests"


@pytest.fixture(scope="session")
def _carrier_process() -> Generator[CarrierClient]:
    with running_carrier(
        account_sid=ACCOUNT, auth_token=TOKEN, callbacks=False
    ) as carrier:
        yield carrier


@pytest.fixture
def carrier(_carrier_process: CarrierClient, settings) -> CarrierClient:
    """The carrier, forgetful of earlier tests, and the settings that lead to it."""
    _carrier_process.reset()
    settings.TWILIO_BASE_URL = _carrier_process.sms_url
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT, TOKEN
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", _carrier_process.smtp_port
    return _carrier_process
