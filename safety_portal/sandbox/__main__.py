"""Start the carrier: python -m safety_portal.sandbox --http-port 0 --smtp-port 0."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence

from safety_portal.sandbox.carrier import Carrier
from safety_portal.sandbox.config import REALISTIC, Config, ConfigError

try:
    import uvloop
except ImportError:
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    new_event_loop = uvloop.new_event_loop

STOP_WITHIN_S = 1.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        config = _config(options)
    except (ConfigError, json.JSONDecodeError) as wrong:
        parser.error(str(wrong))
    # Texts are many and never in cycles: looking through 80,000 of them for cycles
    # would stall the carrier for a tenth of a second at a time.
    gc.set_threshold(50_000, 50, 1000)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(config, options))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("safety_portal.sandbox", description=__doc__)
    parser.add_argument("--http-port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument(
        "--control-port",
        type=int,
        default=0,
        help="pages and controls, open even while the HTTP port refuses",
    )
    parser.add_argument("--account-sid", default="", help="checked when given")
    parser.add_argument("--auth-token", default="", help="checks calls, signs ours")
    parser.add_argument(
        "--callbacks", action=argparse.BooleanOptionalAction, default=None
    )
    parser.add_argument("--callback-origin", help="where public addresses really are")
    parser.add_argument("--inbound-url", help="the portal's webhook for replies")
    parser.add_argument("--portal-url", help="links into it can be followed")
    parser.add_argument("--latency-ms", type=float)
    parser.add_argument("--realistic", action="store_true")
    parser.add_argument("--config", default="{}", help="JSON object, any setting")
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="stop when the process that started us is gone",
    )
    return parser


def _config(options: argparse.Namespace) -> Config:
    config = Config().changed(REALISTIC if options.realistic else {})
    named = {
        name: getattr(options, name)
        for name in (
            "account_sid",
            "auth_token",
            "callbacks",
            "callback_origin",
            "inbound_url",
            "portal_url",
            "latency_ms",
        )
    }
    config = config.changed({k: v for k, v in named.items() if v is not None})
    wish = json.loads(options.config)
    if not isinstance(wish, dict):
        raise ConfigError("--config must be a JSON object.")
    config = config.changed(wish)
    if options.callbacks and not config.auth_token:
        raise ConfigError("--callbacks needs --auth-token: they are signed with it.")
    return config


async def _serve(config: Config, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    carrier = Carrier(
        config,
        http_port=options.http_port,
        smtp_port=options.smtp_port,
        control_port=options.control_port,
    )
    await carrier.start()
    ports = {
        "http": carrier.http_port,
        "smtp": carrier.smtp_port,
        "control": carrier.control_port,
    }
    print(json.dumps(ports), flush=True)
    if options.until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), _stop_at_end_of_input, stop)
    await stop.wait()
    async with asyncio.timeout(STOP_WITHIN_S):
        await carrier.stop()


def _stop_at_end_of_input(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


if __name__ == "__main__":
    sys.exit(main())
