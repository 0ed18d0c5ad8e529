"""What changed between two versions, word by word, for one audience to read."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import SequenceMatcher

from schools.models import Audience, Phase, PlanSection, PlanText, SafetyPlan

_TOKENS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words: `kept`, `added` or `removed`."""

    what: str
    words: str


@dataclass(frozen=True, slots=True)
class TextChange:
    """One text in both versions; `what` is added, removed or changed."""

    phase: Phase
    audience: Audience
    what: str
    pieces: tuple[Piece, ...]

    @property
    def where(self) -> str:
        """“During, for staff”."""
        return f"{self.phase.label}, for {self.audience.label.lower()}"


@dataclass(frozen=True, slots=True)
class SectionChange:
    """One section that is not the same in both versions.

    `notes` are sentences about the section itself: new, gone, renamed, does not apply.
    """

    key: str
    title: str
    notes: tuple[str, ...]
    texts: tuple[TextChange, ...]


def words_changed(before: str, after: str) -> list[Piece]:
    """The two texts as one run of kept, removed and added words."""
    old, new = _TOKENS.findall(before), _TOKENS.findall(after)
    found: list[Piece] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for op, i1, i2, j1, j2 in matcher.get_opcodes():
        if op == "equal":
            found.append(Piece("kept", "".join(old[i1:i2])))
            continue
        if i2 > i1:
            found.append(Piece("removed", "".join(old[i1:i2])))
        if j2 > j1:
            found.append(Piece("added", "".join(new[j1:j2])))
    return found


def changes(
    before: SafetyPlan, after: SafetyPlan, audiences: Collection[Audience]
) -> list[SectionChange]:
    """The sections that differ, as far as these audiences may read them; four queries.

    A text that is restricted in either version is compared only for readers of
    restricted text, so a comparison tells nobody what a restriction hides.
    """
    old, new = _sections(before), _sections(after)
    said_before, said_after = _texts(before), _texts(after)
    found = []
    for key in [*new, *(key for key in old if key not in new)]:
        texts = tuple(
            change
            for phase in Phase
            for audience in Audience
            if (
                change := _text_change(
                    phase,
                    audience,
                    said_before.get((key, phase, audience)),
                    said_after.get((key, phase, audience)),
                    audiences,
                )
            )
        )
        notes = tuple(_notes(old.get(key), new.get(key)))
        if texts or notes:
            title = (new.get(key) or old[key]).title
            found.append(SectionChange(key, title, notes, texts))
    return found


def _sections(plan: SafetyPlan) -> dict[str, PlanSection]:
    return {one.key: one for one in plan.sections.order_by("position")}


def _texts(plan: SafetyPlan) -> dict[tuple[str, str, str], PlanText]:
    found = PlanText.objects.filter(section__plan=plan).select_related("section")
    return {(one.section.key, one.phase, one.audience): one for one in found}


def _text_change(
    phase: Phase,
    audience: Audience,
    before: PlanText | None,
    after: PlanText | None,
    audiences: Collection[Audience],
) -> TextChange | None:
    if audience not in audiences:
        return None
    hidden = any(one is not None and one.is_restricted for one in (before, after))
    if hidden and Audience.RESTRICTED not in audiences:
        return None
    old = before.body if before else ""
    new = after.body if after else ""
    if old == new:
        return None
    what = "changed" if old and new else "added" if new else "removed"
    return TextChange(phase, audience, what, tuple(words_changed(old, new)))


def _notes(before: PlanSection | None, after: PlanSection | None) -> list[str]:
    if before is None:
        return ["New in this version."]
    if after is None:
        return ["Not in this version any more."]
    notes = []
    if before.title != after.title:
        notes.append(f"It was called “{before.title}”.")
    reason, reason_before = after.does_not_apply_because, before.does_not_apply_because
    if reason and reason != reason_before:
        notes.append(f"Does not apply here: {reason}")
    elif reason_before and not reason:
        notes.append("It applies here now; before: " + reason_before)
    return notes
