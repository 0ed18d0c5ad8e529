"""What one line of the table is made from."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.invariants import Verdict
from tests.faults.rig import Rig

MANY, FEW = "many", "few"
"""The two schools of a rig: enough families to be struck half-way, and a few."""


@dataclass(frozen=True)
class Scenario:
    """One alert and what befalls it."""

    name: str
    run: Callable[[Rig], Verdict]
    databases: tuple[str, ...] = ("postgres", "sqlite")
    quick: bool = False
    seconds: float = 4.0
    """About how long it takes when in a hurry; shares the work, judges nothing."""
