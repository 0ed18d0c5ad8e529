"""Mail: taken, counted, and refused in every way the carrier knows."""

import base64
import smtplib
import socket
import time

import pytest

from .callers import mail_session, make_mail, send_mail

GLORIA = "gloria@family.example"
OTHER = "omar@family.example"


def test_a_mail_is_taken_and_can_be_read(carrier):
    text = "Está a salvo.\n.\n..two dots\n"
    send_mail(carrier, GLORIA, OTHER, subject="¡Cierre!", text=text, mail_id="<7@d>")
    [mail] = carrier.messages(GLORIA)
    assert mail["to"] == [GLORIA, OTHER]
    assert (mail["subject"], mail["message_id"]) == ("¡Cierre!", "<7@d>")
    assert mail["text"] == text.strip()
    assert mail["headers"]["To"] == GLORIA
    stats = carrier.stats()["email"]
    assert (stats["messages"], stats["accepted"], stats["unique_to"]) == (1, 2, 2)


def test_a_second_copy_is_counted(carrier):
    for mail_id in ("<1@d>", "<1@d>", "<2@d>"):
        send_mail(carrier, GLORIA, mail_id=mail_id)
    send_mail(carrier, GLORIA.upper(), mail_id="<3@d>")
    stats = carrier.stats()["email"]
    assert (stats["duplicates"], stats["same_message"]) == (3, 1)
    assert carrier.dups()["email"] == {GLORIA: 4}
    assert carrier.log(channel="email")[0][1:] == ["<1@d>", GLORIA]


def test_only_html_is_read_as_words(carrier):
    mail = make_mail(GLORIA)
    mail.set_content("<style>p{}</style><p>Stay <b>home</b></p>", subtype="html")
    with mail_session(carrier) as session:
        session.send_message(mail)
    [read] = carrier.messages(GLORIA)
    assert read["has_html"]
    assert read["text"] == "Stay home"


def test_what_it_offers_it_understands(carrier):
    with mail_session(carrier) as session:
        session.ehlo()
        for name in ("pipelining", "8bitmime", "size", "smtputf8", "auth"):
            assert session.has_extn(name)
        session.login("portal", "secret")
        session.user, session.password = "portal", "secret"
        assert session.auth("LOGIN", session.auth_login)[0] == 235
        options = ["SMTPUTF8", "BODY=8BITMIME"]
        session.sendmail(
            "a@x", ["señora@family.example"], "Subject: x\r\n\r\n", options
        )
        assert session.mail("a@x", ["SIZE=99999999"])[0] == 552
        assert session.rcpt(GLORIA)[0] == 503
        assert session.docmd("STARTTLS")[0] == 502
    assert carrier.messages("señora@family.example")


def test_login_can_be_spelled_out(carrier):
    with mail_session(carrier) as session:
        session.ehlo()
        assert session.docmd("AUTH", "PLAIN")[0] == 334
        assert session.docmd(base64.b64encode(b"\0a\0b").decode())[0] == 235
        assert session.docmd("AUTH", "LOGIN")[0] == 334
        assert session.docmd("*")[0] == 501


def test_pipelined_commands_pay_one_round_trip(carrier):
    carrier.config(smtp_rtt_ms=100)
    with socket.create_connection(("127.0.0.1", carrier.smtp_port), 5) as line:
        replies = line.makefile("rb")
        assert replies.readline().startswith(b"220")
        started = time.monotonic()
        line.sendall(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n")
        assert [replies.readline()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
        line.sendall(b"Subject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n")
        assert [replies.readline()[:3] for _ in range(2)] == [b"250", b"221"]
        assert 0.2 <= time.monotonic() - started < 0.5
        assert replies.read() == b""
        replies.close()
    assert carrier.messages("b@x")[0]["text"] == "hi"


def test_a_dot_split_across_packets_ends_the_mail(carrier):
    with socket.create_connection(("127.0.0.1", carrier.smtp_port), 5) as line:
        line.sendall(
            b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nSubject: y\r\n\r\nhi"
        )
        for part in (b"\r", b"\n", b".", b"\r", b"\nQUIT\r\n"):
            time.sleep(0.01)
            line.sendall(part)
        with line.makefile("rb") as replies:
            assert replies.read().count(b"\r\n") == 6
    assert carrier.messages("b@x")[0]["subject"] == "y"


@pytest.mark.parametrize("step", ["550", "451", "450", "552"])
def test_one_recipient_can_be_refused_while_others_are_taken(carrier, step):
    carrier.script(GLORIA, [step])
    refused = send_mail(carrier, GLORIA, OTHER)
    assert refused[GLORIA][0] == int(step)
    assert carrier.messages(GLORIA) == []
    assert len(carrier.messages(OTHER)) == 1
    assert send_mail(carrier, GLORIA) == {}


def test_a_mail_can_be_refused_after_its_text(carrier):
    carrier.script(GLORIA, ["451_data"])
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        send_mail(carrier, GLORIA)
    assert carrier.messages(GLORIA) == []


def test_a_session_can_be_closed_with_421(carrier):
    carrier.script(GLORIA, ["421"])
    with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPServerDisconnected)):
        send_mail(carrier, GLORIA)
    assert carrier.stats()["email"]["codes"]["421"] == 1


def test_a_line_dropped_after_the_dot_has_taken_the_mail(carrier):
    carrier.script(GLORIA, ["drop_after_data"])
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send_mail(carrier, GLORIA)
    assert len(carrier.messages(GLORIA)) == 1


@pytest.mark.parametrize(("step", "taken"), [("hang", 0), ("hang_after_data", 1)])
def test_a_server_can_fall_silent(carrier, step, taken):
    carrier.script(GLORIA, [step])
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        send_mail(carrier, GLORIA, timeout=0.2)
    assert len(carrier.messages(GLORIA)) == taken


def test_a_slow_mailbox_is_slow(carrier):
    carrier.script(GLORIA, ["slow:0.2"])
    started = time.monotonic()
    send_mail(carrier, GLORIA)
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    ("setting", "error", "taken"),
    [
        ({"smtp_p451": 1.0}, smtplib.SMTPDataError, 0),
        ({"smtp_p421": 1.0}, smtplib.SMTPException, 0),
        ({"smtp_p550": 1.0}, smtplib.SMTPRecipientsRefused, 0),
        ({"bounce_share": 1.0}, smtplib.SMTPRecipientsRefused, 0),
        ({"smtp_p_drop_after": 1.0}, smtplib.SMTPServerDisconnected, 1),
        ({"smtp_down": True}, ConnectionRefusedError, 0),
    ],
)
def test_a_mail_fault_for_everybody_can_be_switched_on_and_off(
    carrier, setting, error, taken
):
    carrier.config(**setting)
    with pytest.raises(error):
        send_mail(carrier, GLORIA)
    assert len(carrier.messages(GLORIA)) == taken
    carrier.reset()
    assert send_mail(carrier, GLORIA) == {}


def test_hanging_for_everybody_takes_every_mail(carrier):
    carrier.config(smtp_p_hang_after=1.0)
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        send_mail(carrier, GLORIA, timeout=0.2)
    assert len(carrier.messages(GLORIA)) == 1


def test_sessions_and_mails_per_session_have_limits(carrier):
    carrier.config(smtp_max_connections=1, smtp_max_per_connection=1)
    with mail_session(carrier) as session:
        with pytest.raises(smtplib.SMTPConnectError, match="421"):
            smtplib.SMTP("127.0.0.1", carrier.smtp_port, timeout=5)
        session.send_message(make_mail(GLORIA))
        assert session.docmd("MAIL FROM:<a@x>")[0] == 421
    assert carrier.stats()["email"]["connections_max"] == 2


def test_pipelining_can_be_withheld_and_data_can_take_time(carrier):
    carrier.config(smtp_pipelining=False, smtp_data_ms=150)
    with mail_session(carrier) as session:
        session.ehlo()
        assert not session.has_extn("pipelining")
        started = time.monotonic()
        session.send_message(make_mail(GLORIA))
        assert time.monotonic() - started >= 0.15


def test_old_mail_makes_room_but_stays_counted(carrier):
    carrier.config(smtp_keep_mb=1)
    for number in range(3):
        send_mail(carrier, GLORIA, text="x" * 70 + "\n" + "long line\n" * 60_000)
        assert carrier.stats()["email"]["messages"] == number + 1
    newest, middle, oldest = carrier.messages(GLORIA)
    assert newest["text"].startswith("xxx")
    assert "dropped to save memory" in oldest["text"]
    assert "dropped to save memory" in middle["text"]
