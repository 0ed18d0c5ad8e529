"""Doorways for Celery: the work lives below, the queueing above. Arguments are ids."""

import os

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.utils import timezone

from notifications import materialising, reconcile
from notifications.engine import Engine
from notifications.models import Channel

LANES = (Channel.SMS, Channel.EMAIL)
_engines: dict[str, Engine] = {}


@worker_ready.connect
def _start_engine(**_: object) -> None:
    """A worker started with PORTAL_LANE=sms or email runs that channel's engine."""
    lane = os.environ.get("PORTAL_LANE", "")
    if lane in LANES and lane not in _engines:
        _engines[lane] = Engine(lane)
        _engines[lane].start()


@worker_shutting_down.connect
def _stop_engine(**_: object) -> None:
    while _engines:
        _engines.popitem()[1].stop()


@shared_task(name="notifications.ring")
def ring(channel: str) -> None:
    """There may be work on this channel."""
    if channel in _engines:
        _engines[channel].ring()


@shared_task(name="notifications.materialise")
def materialise(alert_id: int) -> None:
    """Make an alert's list stage by stage, waking the lanes after each."""
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
    reconcile.sweep(now=timezone.now())
    reconcile.forget_dead_workers(now=timezone.now())
    for lane in LANES:
        ring.apply_async((lane,), queue=lane, expires=60)
