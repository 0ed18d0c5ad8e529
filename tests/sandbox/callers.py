"""The portal's side of the wire, as small as it can be: real sockets, no library."""

import base64
import http.client
import json
import smtplib
import threading
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode

from twilio.request_validator import RequestValidator

ACCOUNT = "AC" + "5" * 32
TOKEN = "a-pretended-token"
SERVICE = "MG" + "7" * 32
SENDER = "+16125550100"
GLORIA = "+17635550123"
OTHER = "+17635550124"


class Answer:
    """What the carrier said to one request."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


def ask(port, method, path, form=None, headers=None, timeout=5):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        body = urlencode(form) if form is not None else None
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        line.request(method, path, body, kind | (headers or {}))
        response = line.getresponse()
        return Answer(response, response.read())
    finally:
        line.close()


def api_headers(account=ACCOUNT, token=TOKEN):
    pair = base64.b64encode(f"{account}:{token}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def api(carrier, method="GET", path="Messages.json", form=None, timeout=5):
    where = f"/2010-04-01/Accounts/{ACCOUNT}/{path}"
    return ask(carrier.http_port, method, where, form, api_headers(), timeout)


def send_text(carrier, to=GLORIA, body="LOCKDOWN", timeout=5, **extra):
    form = {"To": to, "Body": body}
    if "MessagingServiceSid" not in extra:
        form["From"] = SENDER
    return api(carrier, "POST", form=form | extra, timeout=timeout)


def make_mail(to, subject="Lockdown at Lincoln", text="Stay away.", mail_id="<1@x>"):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "alerts@district.example", to, subject
    mail["Message-ID"] = mail_id
    mail.set_content(text)
    return mail


@contextmanager
def mail_session(carrier, timeout=5):
    session = smtplib.SMTP("127.0.0.1", carrier.smtp_port, timeout=timeout)
    try:
        yield session
    finally:
        session.close()


def send_mail(carrier, *to, timeout=5, **parts):
    with mail_session(carrier, timeout) as session:
        return session.send_message(make_mail(to[0], **parts), to_addrs=list(to))


class Portal:
    """Listens for webhooks and keeps each with whether its signature holds."""

    def __init__(self):
        self.calls = []
        self.refusals_left = 0
        portal = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                fields = dict(parse_qsl(self.rfile.read(size).decode()))
                call = portal.judge(self.path, self.headers, fields)
                status = 204 if call["genuine"] else 403
                if portal.refusals_left:
                    portal.refusals_left -= 1
                    status = 500
                portal.calls.append(call)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.origin = self.public = f"http://127.0.0.1:{self._server.server_port}"
        self.url = self.origin + "/hook"

    def judge(self, path, headers, fields):
        signature = headers.get("X-Twilio-Signature", "")
        url = self.public + path
        genuine = RequestValidator(TOKEN).validate(url, fields, signature)
        return {
            "path": path,
            "host": headers["Host"],
            "fields": fields,
            "signature": signature,
            "genuine": genuine,
        }

    def statuses(self, *, genuine=True):
        return [
            call["fields"]["MessageStatus"]
            for call in self.calls
            if call["genuine"] is genuine
        ]

    def __enter__(self):
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}
        ).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def quiet(stats):
    """All callbacks that were planned have been made."""
    return stats["callbacks"]["pending"] == 0
