"""Which sections have been exercised, and which never: a pure reckoning.

Drills live on a floor above; they pass in what was exercised and when.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from schools.models import PlanSection


@dataclass(frozen=True, slots=True)
class Covered:
    """One section and the days on which a drill exercised it, newest first."""

    section: PlanSection
    on: tuple[date, ...]

    @property
    def last_on(self) -> date | None:
        """The newest day, if there is one."""
        return self.on[0] if self.on else None

    @property
    def times(self) -> int:
        """How often."""
        return len(self.on)

    @property
    def shade(self) -> int:
        """0 for never, up to 4: the cell of the heat map."""
        return min(len(self.on), 4)

    @property
    def words(self) -> str:
        """How often, in words."""
        if not self.on:
            return "No drill has exercised this yet"
        times = "once" if len(self.on) == 1 else f"{len(self.on)} times"
        return f"Exercised {times}, last on {self.on[0]:%b} {self.on[0].day}, " + (
            f"{self.on[0].year}"
        )


def coverage(
    plan_sections: Iterable[PlanSection], exercised: Mapping[str, Sequence[date]]
) -> list[Covered]:
    """Every section that applies, with the days a drill named its key.

    Days may come in any order and more than once; keys without a section are ignored.
    """
    return [
        Covered(section, tuple(sorted(exercised.get(section.key, ()), reverse=True)))
        for section in plan_sections
        if not section.does_not_apply_because
    ]
