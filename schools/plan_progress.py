"""How far a version is: what is written, and what is still the template's."""

from dataclasses import dataclass
from enum import StrEnum

from schools.models import PlanSection, SafetyPlan
from schools.plan_structure import gaps


class State(StrEnum):
    """What a section is, from the one that stops an adoption to the finished ones."""

    EMPTY = "empty"
    GAPS = "gaps"
    TEMPLATE = "template"
    WRITTEN = "written"
    NOT_HERE = "not_here"


WORDS = {
    State.EMPTY: ("bad", "Empty"),
    State.GAPS: ("warn", "Gaps to fill"),
    State.TEMPLATE: ("warn", "As the template has it"),
    State.WRITTEN: ("ok", "Written"),
    State.NOT_HERE: ("idle", "Does not apply here"),
}
"""Kind of status and its word."""
DONE = frozenset({State.WRITTEN, State.NOT_HERE})


@dataclass(frozen=True, slots=True)
class SectionProgress:
    """One section and how far it is; `gaps` names what is still to be filled in."""

    section: PlanSection
    state: State
    gaps: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Its status on screen: ok, warn, bad or idle."""
        return WORDS[self.state][0]

    @property
    def word(self) -> str:
        """Its state in words."""
        return WORDS[self.state][1]


@dataclass(frozen=True, slots=True)
class Progress:
    """A whole version, section by section."""

    sections: tuple[SectionProgress, ...]

    @property
    def total(self) -> int:
        """How many sections there are."""
        return len(self.sections)

    @property
    def done(self) -> int:
        """How many are written or do not apply."""
        return sum(each.state in DONE for each in self.sections)

    def in_state(self, *states: State) -> list[SectionProgress]:
        """The sections in any of these states."""
        return [each for each in self.sections if each.state in states]

    @property
    def unfinished(self) -> list[SectionProgress]:
        """Sections that stop an adoption: empty, or with gaps."""
        return self.in_state(State.EMPTY, State.GAPS)

    @property
    def untouched(self) -> list[SectionProgress]:
        """Sections nobody has looked at: the template's words, complete as they are."""
        return self.in_state(State.TEMPLATE)


def progress(plan: SafetyPlan) -> Progress:
    """How far a version is; two queries."""
    sections = plan.sections.prefetch_related("texts").order_by("position")
    return Progress(tuple(_of(section) for section in sections))


def _of(section: PlanSection) -> SectionProgress:
    bodies = [text.body for text in section.texts.all()]
    missing = tuple(gap for body in bodies for gap in gaps(body))
    if section.does_not_apply_because:
        return SectionProgress(section, State.NOT_HERE, ())
    if not any(body.strip() for body in bodies):
        state = State.EMPTY
    elif missing:
        state = State.GAPS
    elif section.edited_at is None:
        state = State.TEMPLATE
    else:
        state = State.WRITTEN
    return SectionProgress(section, state, missing)
