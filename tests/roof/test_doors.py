"""The WSGI entry: machines past the middleware, people through all of it."""

import io
from importlib import import_module
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from twilio.request_validator import RequestValidator

from notifications.channels.receipts import receipt
from notifications.models import ProviderEvent
from tests.test_access import patterns

pytestmark = pytest.mark.django_db(transaction=True)  # a request ends connections
PUBLIC_URL = "https://portal.district.example.org"
FORM = {"MessageSid": "SM1", "MessageStatus": "sent"}


@pytest.fixture(autouse=True)
def _token(settings, tmp_path) -> None:
    settings.STATIC_ROOT = str(tmp_path)  # WhiteNoise looks for it on import
    settings.TWILIO_AUTH_TOKEN, settings.PUBLIC_URL = "token", PUBLIC_URL


def ask(path: str, *, method: str = "GET", form: dict | None = None, **headers: str):
    """Status and headers of one request through the real entry point."""
    body, said = urlencode(form or {}).encode(), []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "https",
        **headers,
    }
    application = import_module("safety_portal.wsgi").application
    answer = application(environ, lambda *start: said.append(start))
    b"".join(answer)
    status, given = said[0]
    return int(status[:3]), dict(given)


def hook(fields: dict[str, str], *, named: str = "", token: str = "token") -> int:  # noqa: S107
    path = reverse("sms_status", args=[named or receipt(5, 1)])
    signature = RequestValidator(token).compute_signature(PUBLIC_URL + path, fields)
    status, headers = ask(
        path, method="POST", form=fields, HTTP_X_TWILIO_SIGNATURE=signature
    )
    assert not {"Set-Cookie", "Content-Security-Policy"} & headers.keys()
    return status


def test_a_signed_report_is_kept():
    assert hook(FORM) == 204
    kept = ProviderEvent.objects.get()
    assert (kept.delivery_id, kept.status, kept.provider_sid) == (5, "sent", "SM1")


def test_a_forged_report_is_not_and_neither_is_one_about_a_strangers_try():
    assert hook(FORM, token="guess") == 403
    assert hook(FORM, named="5-1-" + "0" * 24) == 404
    assert ask(reverse("sms_status", args=["-"]))[0] == 405
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("path", ["/hooks/", "/hooks/nothing", "/hooks/../alerts"])
def test_nothing_else_is_behind_the_machines_door(path):
    assert ask(path)[0] == 404


def test_whatever_is_behind_the_machines_door_is_open_to_strangers():
    hooks = [one for one in patterns() if str(one.pattern).startswith("hooks/")]
    assert len(hooks) >= 3
    assert all(not one.callback.login_required for one in hooks)


def test_people_pass_everything():
    status, headers = ask("/alerts")
    assert (status, headers["Location"]) == (302, "/sign-in?next=/alerts")
    assert "Content-Security-Policy" in headers
    assert "Content-Security-Policy" in ask("/sign-in")[1]
