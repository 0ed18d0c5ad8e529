"""The pages people look at in the demo."""

import html
import re

from safety_portal.sandbox.pages import pieces

from .callers import GLORIA, SERVICE, ask, send_mail, send_text

MAILBOX = "gloria@family.example"


def look(carrier, path):
    answer = ask(carrier.http_port, "GET", path)
    return answer, html.unescape(answer.body.decode())


def test_the_first_page_shows_the_latest_and_says_nothing_leaves(carrier):
    send_text(carrier, body="LOCKDOWN at Lincoln")
    send_mail(carrier, MAILBOX, subject="Lockdown")
    answer, page = look(carrier, "/")
    assert answer.status == 200
    assert "Nothing leaves this machine" in page
    assert "LOCKDOWN at Lincoln" in page
    assert f'href="/phone/{GLORIA}"' in page
    assert f'href="/mail/{MAILBOX}"' in page


def test_a_phone_shows_its_conversation(carrier):
    send_text(carrier, body="LOCKDOWN", MessagingServiceSid=SERVICE)
    carrier.reply(GLORIA, "STOP")
    _, page = look(carrier, f"/phone/{GLORIA}")
    assert "1 segment" in page
    assert "STOP" in page
    assert "blocks that sender only" in page
    send_text(carrier, MessagingServiceSid=SERVICE)
    _, page = look(carrier, "/phone/%2B17635550123")
    assert "1 text refused before sending" in page


def test_a_text_that_did_not_arrive_says_so(carrier):
    carrier.config(landline_share=1.0, delivered_after_s=0, sent_after_s=0)
    send_text(carrier)
    _, page = look(carrier, f"/phone/{GLORIA}")
    assert "Not delivered: landline (30006)" in page


def test_a_mailbox_shows_subject_and_text(carrier):
    send_mail(carrier, MAILBOX, subject="Cierre", text="Todo está bien.")
    _, page = look(carrier, f"/mail/{MAILBOX}")
    assert "Cierre" in page
    assert "Todo está bien." in page


def test_search_finds_numbers_and_addresses(carrier):
    send_text(carrier)
    send_mail(carrier, MAILBOX)
    assert GLORIA in look(carrier, "/?q=(763)+555-0123")[1]
    assert MAILBOX in look(carrier, "/?q=GLORIA")[1]
    assert "No text has gone to" in look(carrier, "/?q=nobody")[1]
    assert "Open +19995550000 anyway" in look(carrier, "/?q=%2B1+999+555+0000")[1]


def test_what_people_write_is_never_markup(carrier):
    evil = "<script>alert(1)</script>\"'><img src=x>"
    send_text(carrier, body=evil)
    send_mail(carrier, MAILBOX, subject=evil, text=evil)
    for path in ("/", f"/phone/{GLORIA}", f"/mail/{MAILBOX}", "/?q=" + "%3Cscript%3E"):
        answer, _ = look(carrier, path)
        assert b"<script" not in answer.body
        assert b"<img" not in answer.body


def test_every_page_is_closed_to_the_outside(carrier):
    send_text(carrier)
    for path in ("/", f"/phone/{GLORIA}", "/mail/a@b.example", "/none", "/?q=x"):
        answer, page = look(carrier, path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script|\son\w+=|style=|https?://", page)


def test_only_the_portals_own_addresses_become_links():
    portal = "http://127.0.0.1:8000"
    body = (
        "See http://127.0.0.1:8000/a/7f3k. Not http://127.0.0.1:8000.evil.example/a "
        "nor http://127.0.0.1:80001/ nor http://evil.example/?http://127.0.0.1:8000/"
    )
    found = pieces(body, portal)
    assert "".join(piece.text for piece in found) == body
    links = [piece.href for piece in found if piece.href]
    assert links == ["http://127.0.0.1:8000/a/7f3k"]
    assert not any(piece.href for piece in pieces(body, ""))


def test_reloading_is_a_choice(carrier):
    assert "http-equiv" not in look(carrier, "/")[1]
    assert 'http-equiv="refresh" content="5"' in look(carrier, "/?refresh=on")[1]
    page = look(carrier, "/?q=a&refresh=on")[1]
    assert 'href="/?q=a"' in page


def test_its_own_files_are_served_and_no_others(carrier):
    for name in ("sandbox.css", "tokens.css", "icons.svg", "atkinson.woff2"):
        assert ask(carrier.http_port, "GET", f"/_static/{name}").status == 200
    for path in ("/_static/../config.py", "/_static/config.py", "/phone/x", "/mail/x"):
        assert ask(carrier.http_port, "GET", path).status == 404
    assert ask(carrier.http_port, "DELETE", "/").status == 405
