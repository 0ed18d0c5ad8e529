"""Doorways for Celery: the work lives below, the queueing above. Arguments are ids."""

import os
from typing import Any

from celery import Task, shared_task
from celery.signals import worker_init, worker_shutting_down
from django.utils import timezone

from notifications import materialising, reconcile, restoring
from notifications.engine import Engine
from notifications.models import Channel

LANES = (Channel.SMS, Channel.EMAIL)
RING_SECONDS = 1
_engines: dict[str, Engine] = {}


@worker_init.connect
def _start_engine(**_: object) -> None:
    """A worker started with PORTAL_LANE=sms or email runs that channel's engine.

    Not at `worker_ready`: that waits for the broker, and sending must not.
    """
    lane = os.environ.get("PORTAL_LANE", "")
    if lane in LANES and lane not in _engines:
        _engines[lane] = Engine(lane)
        _engines[lane].start()


@worker_shutting_down.connect
def _stop_engine(**_: object) -> None:
    while _engines:
        _engines.popitem()[1].stop()


class Bell(Task):
    """A task that is rung for: who rings does not wait for a broker that hangs.

    Workers read with the longer `socket_timeout` of the settings, so ringing opens a
    short-lived connection of its own.
    """

    abstract = True

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """Publish within about a second, or raise."""
        timeouts = {"socket_timeout": RING_SECONDS}
        with self.app.connection_for_write(transport_options=timeouts) as line:
            return super().apply_async(*args, **(options | {"connection": line}))


@shared_task(base=Bell, name="notifications.ring")
def ring(channel: str) -> None:
    """There may be work on this channel."""
    if channel in _engines:
        _engines[channel].ring()


@shared_task(base=Bell, name="notifications.materialise")
def materialise(alert_id: int) -> None:
    """Make an alert's list stage by stage, waking the lanes after each."""
    restoring.guard(now=timezone.now())
    materialising.replace_unsent(alert_id)
    more = True
    while more:
        more = materialising.materialise_next(alert_id, now=timezone.now())
        for lane in LANES:
            if lane in _engines:
                _engines[lane].ring()
            else:
                ring.apply_async((lane,), queue=lane, expires=60)


@shared_task(name="notifications.sweep")
def sweep() -> None:
    """What the engines do by themselves, once more and independently."""
    restoring.guard(now=timezone.now())
    reconcile.sweep(now=timezone.now())
    reconcile.forget_dead_workers(now=timezone.now())
    for lane in LANES:
        ring.apply_async((lane,), queue=lane, expires=60)
