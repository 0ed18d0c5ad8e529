"""Starting, stopping, and being held by a test."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from safety_portal.sandbox.carrier import Carrier
from safety_portal.sandbox.client import CarrierClient, CarrierError, running_carrier
from safety_portal.sandbox.config import Config

from .callers import GLORIA, send_text


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "safety_portal.sandbox", *arguments],
        stdout=subprocess.PIPE,
        **options,
    )


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_says_its_ports_and_stops_when_told(sign):
    with start("--http-port", "0", "--smtp-port", "0") as process:
        ports = json.loads(process.stdout.readline())
        busy = socket.create_connection(("127.0.0.1", ports["smtp"]))
        started = time.monotonic()
        process.send_signal(sign)
        assert process.wait(5) == 0
        assert time.monotonic() - started < 2
        busy.close()


def test_it_ends_with_the_process_that_started_it():
    with start("--until-stdin-closes", stdin=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdin.close()
        assert process.wait(5) == 0


def test_it_needs_no_portal():
    bare = {"PATH": os.environ["PATH"]}
    code = (
        "import sys, safety_portal.sandbox.__main__; "
        "print([m for m in sys.modules if m.startswith(('schools', 'notifications', "
        "'django.db.models', 'safety_portal.settings'))])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=bare, check=True
    )
    assert found.stdout.strip() == b"[]"


@pytest.mark.parametrize(
    "arguments",
    [["--callbacks"], ["--config", "[]"], ["--config", '{"no_such": 1}']],
)
def test_a_wrong_option_is_refused_at_the_start(arguments):
    with start(*arguments, stderr=subprocess.PIPE) as process:
        _, words = process.communicate(timeout=10)
    assert process.returncode == 2
    assert b"error:" in words


def test_realistic_has_latency_and_traits_and_takes_changes():
    with running_carrier(realistic=True, latency_ms=40) as carrier:
        config = carrier.stats()["config"]
        assert config["latency_ms"] == 40
        assert config["opted_out_share"] == 0.008
        started = time.monotonic()
        send_text(carrier)
        assert time.monotonic() - started >= 0.04


def test_a_fixed_port_already_taken_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CarrierError), running_carrier(http_port=port):
            pass


def test_the_carrier_can_live_in_our_own_loop():
    async def story():
        async with Carrier(Config(latency_ms=5)) as carrier:
            client = CarrierClient(
                http_port=carrier.http_port,
                smtp_port=carrier.smtp_port,
                control_port=carrier.control_port,
            )
            answer = await asyncio.to_thread(send_text, client)
            assert answer.status == 201
            assert len(carrier.texts.by_to[GLORIA]) == 1
            await carrier.reset()
            assert carrier.stats()["sms"]["accepted"] == 0

    asyncio.run(story())


def test_a_reset_brings_back_the_settings_of_the_start(carrier):
    carrier.config(p429=1.0)
    send_text(carrier)
    carrier.reset(keep_config=True)
    assert carrier.stats()["sms"]["codes"] == {}
    assert send_text(carrier).status == 429
    carrier.reset()
    assert send_text(carrier).status == 201


def test_it_listens_on_loopback_only(carrier):
    for port in (carrier.http_port, carrier.smtp_port, carrier.control_port):
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", port), 1)
