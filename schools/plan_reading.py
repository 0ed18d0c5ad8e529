"""A plan as one audience may read it. What they may not read is not in the result."""

from collections.abc import Collection
from dataclasses import dataclass

from schools.models import (
    Audience,
    Determination,
    Phase,
    PlanSection,
    PlanText,
    SafetyPlan,
    School,
    User,
)
from schools.permissions import Permission
from schools.plan_structure import phases

FOR_PUBLIC = frozenset({Audience.PUBLIC})
FOR_FAMILIES = FOR_PUBLIC | {Audience.FAMILY}
FOR_STAFF = FOR_FAMILIES | {Audience.STAFF}
FOR_RESPONDERS = FOR_STAFF | {Audience.RESPONDER}
EVERYTHING = FOR_RESPONDERS | {Audience.RESTRICTED}


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph (one line or more) or a list (its items), as plain text."""

    is_list: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadText:
    """One text that the reader may read."""

    audience: Audience
    body: str
    determination: Determination | None

    @property
    def blocks(self) -> list[Block]:
        """Its paragraphs and lists."""
        return blocks(self.body)

    @property
    def label(self) -> str:
        """Whom it is for, in words."""
        return self.audience.label


@dataclass(frozen=True, slots=True)
class ReadPhase:
    """What a section says in one phase; `withheld` is what the reader may not read.

    A withheld text is there as its determination alone: who, when and why.
    """

    phase: Phase
    texts: tuple[ReadText, ...]
    withheld: tuple[Determination, ...]

    @property
    def label(self) -> str:
        """The phase in words."""
        return self.phase.label


@dataclass(frozen=True, slots=True)
class ReadSection:
    """One section as the reader sees it."""

    section: PlanSection
    phases: tuple[ReadPhase, ...]

    @property
    def anchor(self) -> str:
        """Its id in a page."""
        return self.section.key.replace(".", "-").replace("_", "-")


@dataclass(frozen=True, slots=True)
class Chapter:
    """Sections of one kind, or of one type of hazard, under one heading."""

    title: str
    sections: tuple[ReadSection, ...]


def audiences_of(user: User, school: School) -> frozenset[Audience]:
    """Whose texts a person may read at a school; empty for a stranger."""
    found: frozenset[Audience] = frozenset()
    if user.may(Permission.READ_PLANS, school):
        found |= FOR_STAFF
    if user.may(Permission.READ_RESPONDER_PLANS, school):
        found |= FOR_RESPONDERS
    if user.may(Permission.READ_RESTRICTED_PLANS, school):
        found |= EVERYTHING
    return found


def read(plan: SafetyPlan, audiences: Collection[Audience]) -> list[ReadSection]:
    """The sections these audiences may read, in order; three queries.

    Sections without a word for them are left out. Public and family readers do not
    learn that a text is restricted; the others see its determination.
    """
    texts = PlanText.objects.filter(section__plan=plan)
    readable: dict[tuple[int, str], list[ReadText]] = {}
    for text in texts.for_audiences(audiences).select_related(
        "determination__determined_by"
    ):
        readable.setdefault((text.section_id, text.phase), []).append(
            ReadText(Audience(text.audience), text.body, text.determination)
        )
    withheld: dict[tuple[int, str], list[Determination]] = {}
    if Audience.STAFF in audiences and Audience.RESTRICTED not in audiences:
        # Never the body: what is not read cannot leak.
        hidden = texts.restricted().filter(audience__in=audiences).defer("body")
        for text in hidden.select_related("determination__determined_by"):
            if text.determination is not None:
                withheld.setdefault((text.section_id, text.phase), []).append(
                    text.determination
                )
    found = []
    for section in plan.sections.order_by("position"):
        said = tuple(
            ReadPhase(
                phase,
                tuple(sorted(readable.get(at, []), key=_narrower)),
                tuple(withheld.get(at, [])),
            )
            for phase in phases(section.kind)
            if (at := (section.pk, phase.value)) in readable or at in withheld
        )
        if said or (section.does_not_apply_because and Audience.STAFF in audiences):
            found.append(ReadSection(section, said))
    return found


_ORDER = list(Audience)


def _narrower(text: ReadText) -> int:
    """From what everyone reads to what few do."""
    return _ORDER.index(text.audience)


def chapters(sections: list[ReadSection]) -> list[Chapter]:
    """Sections under the headings of the federal guide."""
    found: dict[str, list[ReadSection]] = {}
    for each in sections:
        found.setdefault(heading(each.section), []).append(each)
    return [Chapter(title, tuple(under)) for title, under in found.items()]


def heading(section: PlanSection) -> str:
    """The heading a section stands under."""
    kind = PlanSection.Kind(section.kind).label
    if section.hazard_type:
        return f"{kind}: {PlanSection.HazardType(section.hazard_type).label.lower()}"
    return str(kind)


def blocks(body: str) -> list[Block]:
    """Plain text as paragraphs and lists: lines that begin with “- ” are a list."""
    found: list[tuple[bool, list[str]]] = []
    fresh = True
    for line in body.splitlines():
        line = line.strip()
        if not line:
            fresh = True
            continue
        is_list = line.startswith("- ")
        if fresh or not found or found[-1][0] != is_list:
            found.append((is_list, []))
        found[-1][1].append(line.removeprefix("- ") if is_list else line)
        fresh = False
    return [Block(is_list, tuple(lines)) for is_list, lines in found]


def restricted_words(sections: list[ReadSection]) -> list[str]:
    """Names of the restricted texts in a reading: what the audit log keeps of it."""
    return [
        f"{each.section.key} {phase.phase.value} {text.audience.value}"
        for each in sections
        for phase in each.phases
        for text in phase.texts
        if text.determination is not None
    ]
