"""Requirement packs as TOML files: reading them, and explaining what is wrong.

The shape of a file is described in docs/drill-rules.md.
"""

import re
import tomllib
from collections.abc import Container, Iterable
from functools import cache
from pathlib import Path

from .pack_asks import asked
from .pack_lines import Lines
from .pack_tables import Problem, Problems, Table
from .rules.kinds import (
    Action,
    Firmness,
    Kind,
    Level,
    LinkName,
    Party,
    Sector,
    Severity,
)
from .rules.packs import (
    Binding,
    Chain,
    Citation,
    Layer,
    LinkAsked,
    Pack,
    Planning,
    Reading,
    Rule,
    Term,
)

FOLDER = Path(__file__).resolve().parent / "packs"
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class BadPack(Exception):
    """A pack cannot be used; `problems` says why, in the order of the file."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = tuple(sorted(problems))
        count = len(self.problems)
        said = "; ".join(str(problem) for problem in self.problems[:3])
        more = f" … and {count - 3} more" if count > 3 else ""
        super().__init__(f"{name} cannot be used: {said}{more}")


class NoSuchPack(LookupError):
    """There is no pack with this id."""


def read(
    text: str, name: str = "This pack", *, chains: Container[str] | None = None
) -> Pack:
    """Read a pack from the text of its file; `BadPack` with everything wrong in it.

    A district's `[[reading]]` may be of a chain its state's pack has: with `chains`,
    the ids of those there are, a reading of any other is a problem too.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise BadPack(name, [_syntax(str(wrong), text)]) from wrong
    problems = Problems(Lines(text))
    pack = _pack(Table(raw, (), problems), chains)
    if problems.found or pack is None:
        raise BadPack(name, problems.found)
    return pack


def read_file(path: Path, *, chains: Container[str] | None = None) -> Pack:
    """Read a pack from a file; `BadPack` also when the file is not text."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as wrong:
        line = path.read_bytes()[: wrong.start].count(b"\n") + 1
        problem = Problem(line, "this is not text in UTF-8.")
        raise BadPack(path.name, [problem]) from wrong
    return read(text, path.name, chains=chains)


@cache
def bundled() -> dict[str, Pack]:
    """The packs that come with the portal, by id; read once."""
    packs = [read_file(path) for path in sorted(FOLDER.glob("*.toml"))]
    return {pack.id: pack for pack in packs}


def load(pack_id: str) -> Pack:
    """One bundled pack, always the same value; `NoSuchPack` if there is none."""
    try:
        return bundled()[pack_id]
    except KeyError:
        known = ", ".join(bundled())
        raise NoSuchPack(f"There is no pack “{pack_id}”; there are {known}.") from None


def _syntax(message: str, text: str) -> Problem:
    at = _AT_LINE.search(message)
    line = int(at[1]) if at else max(1, len(text.splitlines()))
    said = _AT_LINE.sub("", message).replace("(at end of document)", "").strip()
    return Problem(line, f"this is not TOML: {said}.")


def _pack(file: Table, chains: Container[str] | None) -> Pack | None:
    head = file.table("pack")
    if head is None:
        if not file.has("pack"):
            file.problems.add((), "[pack] is missing; a pack begins with its name.")
        return None
    layer = head.word("layer", Layer)
    citations = {
        cited.id: cited for cited in (_citation(t) for t in file.tables("citation"))
    }
    terms = tuple(_term(table) for table in file.tables("term"))
    pack = Pack(
        id=head.text("id"),
        layer=layer,
        state=head.text("state"),
        title=head.text("title"),
        citations=tuple(citations.values()),
        terms=terms,
        rules=tuple(_rule(t, citations, terms, layer) for t in file.tables("rule")),
        chains=tuple(_chain(t, citations, layer) for t in file.tables("chain")),
        readings=tuple(_reading(table) for table in file.tables("reading")),
        planning=_planning(file.table("planning")),
        note=head.text("note", ""),
    )
    head.done()
    file.done()
    _whole(file, pack, () if layer is Layer.STATE else chains)
    return pack


def _whole(file: Table, pack: Pack, elsewhere: Container[str] | None) -> None:
    """What only the whole file shows: ids twice, chains nobody reads."""
    for key, ids in (
        ("rule", [rule.id for rule in pack.rules]),
        ("citation", [table["id"] for table in _ids(file, "citation")]),
        ("chain", [chain.id for chain in pack.chains]),
        ("term", [str(term.kind) for term in pack.terms]),
        ("reading", [f"{one.chain} {one.kind}" for one in pack.readings]),
    ):
        for at, one in enumerate(ids):
            if one in ids[:at]:
                file.problems.add(
                    (key, at), f"[[{key}]] “{one}” is here for the second time."
                )
    for at, chain in enumerate(pack.chains):
        if not any(one.chain == chain.id for one in pack.readings):
            file.problems.add(
                ("chain", at),
                f"No [[reading]] says which kinds of drill “{chain.id}” covers.",
            )
    if elsewhere is not None:
        own = {chain.id for chain in pack.chains}
        for at, reading in enumerate(pack.readings):
            if reading.chain not in own and reading.chain not in elsewhere:
                file.problems.add(
                    ("reading", at, "chain"),
                    f"There is no [[chain]] “{reading.chain}”.",
                )
    if not (pack.rules or pack.chains or pack.readings or pack.planning):
        file.problems.add((), "This pack asks for nothing: it has no [[rule]].")


def _ids(file: Table, key: str) -> list[dict[str, str]]:
    found = file.raw.get(key)
    tables = found if isinstance(found, list) else []
    return [one for one in tables if isinstance(one, dict) and "id" in one]


def _citation(table: Table) -> Citation:
    url = table.text("url", "")
    if url and not url.startswith(("https://", "http://")):
        table.wrong("url", f"“url” is “{url}”; an address with https:// was expected.")
    found = Citation(
        id=table.text("id"),
        statute=table.text("statute"),
        section=table.text("section", ""),
        url=url,
        read_on=table.day("read_on"),
        note=table.text("note", ""),
    )
    table.done()
    return found


def _term(table: Table) -> Term:
    found = Term(
        kind=table.word("kind", Kind),
        label=table.text("label"),
        action=table.word("action", Action),
        legal=table.text("legal"),
    )
    table.done()
    return found


def _binding(table: Table, citations: dict[str, Citation], layer: Layer) -> Binding:
    name = table.text("citation")
    cited = citations.get(name)
    if name and cited is None:
        known = ", ".join(f"“{one}”" for one in citations) or "none"
        table.wrong(
            "citation", f"There is no [[citation]] “{name}”; there are {known}."
        )
    severity = table.word("severity", Severity)
    if layer is Layer.DISTRICT and severity is Severity.LAW and table.has("severity"):
        table.wrong(
            "severity",
            "A district's pack adds policy; what is law belongs to the state's pack.",
        )
    verified = table.flag("verified")
    if verified and cited is not None and not cited.url and layer is Layer.STATE:
        table.wrong(
            "verified",
            f"“verified” is true, but “{name}” has no url: where was it read?",
        )
    begins, ends = table.day("effective_from"), table.day("effective_to")
    if begins and ends and ends < begins:
        table.wrong("effective_to", f"It ends on {ends}, before it begins on {begins}.")
    return Binding(
        text=table.text("text"),
        citation=cited or Citation(name, "", ""),
        severity=severity,
        verified=verified,
        effective_from=begins,
        effective_to=ends,
        note=table.text("note", ""),
    )


def _rule(
    table: Table,
    citations: dict[str, Citation],
    terms: Iterable[Term],
    layer: Layer,
) -> Rule:
    kinds = table.words("kinds", Kind, needed=True)
    noun = table.text("noun", "")
    legal = [term.legal for term in terms if term.kind in kinds]
    if not noun and len(kinds) == 1:
        noun = legal[0] if legal else f"{next(iter(kinds)).replace('_', ' ')} drill"
    if not noun and kinds:
        table.problems.add(
            table.path,
            "“noun” is missing: what is one drill of these kinds called? "
            "“evacuation drill” was expected, say.",
        )
    rule = Rule(
        id=table.text("id"),
        title=table.text("title"),
        noun=noun,
        asks=asked(table, kinds),
        binding=_binding(table, citations, layer),
        real_events_count=table.flag("real_events_count", False),
        levels=table.words("levels", Level),
        sectors=table.words("sectors", Sector),
    )
    table.done()
    return rule


def _chain(table: Table, citations: dict[str, Citation], layer: Layer) -> Chain:
    links = tuple(_link(link, citations, layer) for link in table.tables("link"))
    if not links:
        table.problems.add(table.path, "A [[chain]] has at least one [[chain.link]].")
    found = Chain(table.text("id"), table.text("title"), links)
    table.done()
    return found


def _link(table: Table, citations: dict[str, Citation], layer: Layer) -> LinkAsked:
    found = LinkAsked(
        name=table.word("name", LinkName),
        binding=_binding(table, citations, layer),
        party=table.word("party", Party) if table.has("party") else None,
        at_least=table.span("at_least", school_days=False),
        at_most=table.span("at_most", school_days=False),
        within=table.span("within", school_days=False),
        firmness=table.word("firmness", Firmness, Firmness.HARD),
    )
    table.done()
    return found


def _reading(table: Table) -> Reading:
    found = Reading(
        chain=table.text("chain"),
        kind=table.word("kind", Kind),
        applies=table.flag("applies"),
        reason=table.text("reason"),
        decided_by=table.text("decided_by", ""),
        decided_on=table.day("decided_on"),
    )
    table.done()
    return found


def _planning(table: Table | None) -> Planning | None:
    if table is None:
        return None
    ours = Planning()
    found = Planning(
        spacing=table.number("spacing", ours.spacing),
        margin=table.number("margin", ours.margin, least=0),
        a_day=table.number("a_day", ours.a_day),
    )
    table.done()
    return found
