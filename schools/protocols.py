"""Protective actions, hazards, and which action a hazard asks for.

Generic words of our own; a district may paste its licensed text into its templates.
"""

from django.db import models


class Protocol(models.TextChoices):
    HOLD = "hold", "Hold"
    SECURE = "secure", "Secure"
    LOCKDOWN = "lockdown", "Lockdown"
    EVACUATE = "evacuate", "Evacuate"
    SHELTER = "shelter", "Shelter"

    @property
    def meaning(self) -> str:
        """What it asks of people, in at most four words."""
        return _MEANINGS[self]

    @property
    def is_life_safety(self) -> bool:
        """True where one authorised person may alert families alone."""
        return self is not Protocol.HOLD


_MEANINGS = {
    Protocol.HOLD: "Stay in rooms",
    Protocol.SECURE: "Threat outside",
    Protocol.LOCKDOWN: "Threat inside",
    Protocol.EVACUATE: "Move to a place",
    Protocol.SHELTER: "From a hazard",
}


class Hazard(models.TextChoices):
    INTRUDER_INSIDE = "intruder_inside", "Intruder inside"
    THREAT_NEARBY = "threat_nearby", "Threat nearby"
    GAS_LEAK = "gas_leak", "Gas leak inside"
    CHEMICAL_SPILL = "chemical_spill", "Chemical spill nearby"
    TORNADO_WARNING = "tornado_warning", "Tornado warning"
    FIRE = "fire", "Fire"
    MEDICAL = "medical", "Medical emergency"
    OTHER = "other", "Something else"


SUGGESTED_PROTOCOL = {
    Hazard.INTRUDER_INSIDE: Protocol.LOCKDOWN,
    Hazard.THREAT_NEARBY: Protocol.SECURE,
    Hazard.GAS_LEAK: Protocol.EVACUATE,
    Hazard.CHEMICAL_SPILL: Protocol.SHELTER,
    Hazard.TORNADO_WARNING: Protocol.SHELTER,
    Hazard.FIRE: Protocol.EVACUATE,
    Hazard.MEDICAL: Protocol.HOLD,
}
