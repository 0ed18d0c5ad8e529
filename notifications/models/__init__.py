"""An Emergency is why, an Alert is what we say, a Delivery is one address reached."""

from .alert import Alert, AlertSchool, AlertTemplate, AlertText
from .delivery import (
    HANDED_OVER,
    OPEN_STATES,
    PROVIDER_RANK,
    Attempt,
    Channel,
    Delivery,
    ProviderEvent,
    Recipient,
    State,
    Tally,
)
from .emergency import Emergency, EmergencySchool, Mode
from .lanes import Lane, Sender, Suppression, Worker
from .restoring import Lineage, Restoration

__all__ = [
    "HANDED_OVER",
    "OPEN_STATES",
    "PROVIDER_RANK",
    "Alert",
    "AlertSchool",
    "AlertTemplate",
    "AlertText",
    "Attempt",
    "Channel",
    "Delivery",
    "Emergency",
    "EmergencySchool",
    "Lane",
    "Lineage",
    "Mode",
    "ProviderEvent",
    "Recipient",
    "Restoration",
    "Sender",
    "State",
    "Suppression",
    "Tally",
    "Worker",
]
