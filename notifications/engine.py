"""The engine of a sending worker: one thread, one event loop, one channel.

Celery rings the bell; the engine does the work, and looks for work by itself every
second, so a lost doorbell costs a second and a dead broker costs nothing. Its
heartbeat is written by the same loop that sends: a stuck engine looks stuck.
"""

import asyncio
import contextlib
import logging
import os
import socket
import threading
from datetime import datetime

import uvloop
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from notifications import outbox, reconcile, restoring
from notifications.desk import Desk
from notifications.models import Channel, Worker
from notifications.sending import PORTS, LaneRun

log = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
HEARTBEAT_SECONDS = 2.0
CALLBACK_SECONDS = 0.5


class Engine:
    """Runs a channel's lane in a thread of its own until told to stop."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.name = f"{channel}@{socket.gethostname()}:{os.getpid()}"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bell: asyncio.Event | None = None
        self._stop: asyncio.Event | None = None
        self._run: LaneRun | None = None
        self._up = threading.Event()
        self._thread = threading.Thread(
            target=self._main, name=f"engine-{channel}", daemon=True
        )

    def start(self) -> None:
        """Start the thread; returns when its loop takes rings."""
        self._thread.start()
        self._up.wait(10)

    def ring(self) -> None:
        """There may be work. Cheap, from any thread, as often as one likes."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                self._loop.call_soon_threadsafe(self._wake)

    def stop(self, timeout: float = 15.0) -> None:
        """Finish what is in flight, give the lane back, end the thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._halt)
        self._thread.join(timeout)

    # -- in the engine's thread --------------------------------------------------------

    def _main(self) -> None:
        uvloop.run(self._live())

    def _wake(self) -> None:
        if self._bell is not None:
            self._bell.set()
        if self._run is not None:
            self._run.rung.set()

    def _halt(self) -> None:
        if self._stop is not None:
            self._stop.set()
        if self._run is not None:
            self._run.stopping.set()
        self._wake()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._bell, self._stop = asyncio.Event(), asyncio.Event()
        desk, aside = Desk(), Desk()
        port = PORTS[self.channel]()
        chores = [
            asyncio.create_task(
                self._every(HEARTBEAT_SECONDS, aside, self._heartbeat), name="pulse"
            ),
            asyncio.create_task(
                self._every(CALLBACK_SECONDS, aside, self._sweep), name="sweep"
            ),
        ]
        self._up.set()
        started = timezone.now()
        log.info("%s engine started %s", self.channel, started)
        try:
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(WATCH_SECONDS):
                        await self._bell.wait()
                self._bell.clear()
                try:
                    if await desk.do(self._anything):
                        self._run = LaneRun(self.channel, self.name, port, desk)
                        if self._stop.is_set():
                            break
                        await self._run.run()
                except (DatabaseError, InterfaceError) as lost:
                    log.warning("%s engine: %s", self.channel, lost)
                    await desk.hang_up()
                except Exception:
                    log.exception("%s engine: begins again", self.channel)
                    await asyncio.sleep(1)
                finally:
                    self._run = None
        finally:
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)
            with contextlib.suppress(DatabaseError, InterfaceError):
                await aside.do(self._leave)
            await port.close()
            await desk.close()
            await aside.close()

    def _anything(self) -> bool:
        restoring.guard(now=timezone.now())  # before a lane is taken: nothing leaves
        return outbox.has_work(self.channel) or outbox.more_to_come()

    async def _every(self, seconds: float, desk: Desk, work) -> None:
        """Do `work(now)` again and again; a database that is away is waited for."""
        while True:
            try:
                await desk.do(work, timezone.now())
            except (DatabaseError, InterfaceError) as lost:
                log.warning("%s engine: %s", self.channel, lost)
                await desk.hang_up()
            except Exception:
                log.exception("%s engine: a chore failed", self.channel)
            await asyncio.sleep(seconds)

    def _heartbeat(self, now: datetime) -> None:
        restoring.beat(now=now)
        Worker.objects.update_or_create(
            name=self.name,
            defaults={"seen_at": now},
            create_defaults={
                "channel": self.channel,
                "started_at": now,
                "seen_at": now,
            },
        )

    def _sweep(self, now: datetime) -> None:
        """Tidy up; callbacks are the mail engine's, for texts need their engine's time.

        Should that worker be gone, beat's sweep applies them. While something leaves,
        the tide rises with every look: what a copy may forget unnoticed is a second.
        """
        if self._run is None:
            restoring.guard(now=now)
        else:
            restoring.beat(now=now)
        if self.channel == Channel.EMAIL:
            reconcile.sweep(now=now)
        else:
            reconcile.tidy(now=now)

    def _leave(self) -> None:
        Worker.objects.filter(name=self.name).delete()
