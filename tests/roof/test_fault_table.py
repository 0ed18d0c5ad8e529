"""docs/faults.md names every scenario of `make faults`, and the form that runs it."""

import re

from safety_portal.supervisor.state import ROOT
from tests.faults.__main__ import SQLITE_QUICK, chosen, every

ROW = re.compile(r"^\|[^|]*\|([^|]*)\|\s*(quick|full|bench)\s*\|$", re.M)
NAME = re.compile(r"`([^`]+)`( ◆)?")


def told() -> dict[str, tuple[str, bool]]:
    """Scenario → (form, whether the quick form runs it on SQLite too)."""
    page = (ROOT / "docs" / "faults.md").read_text()
    return {
        name: (form, bool(mark))
        for cell, form in ROW.findall(page)
        for name, mark in NAME.findall(cell)
        if form != "bench"
    }


def test_the_page_has_every_scenario_once_and_no_other():
    names = [one.name for one in every()]
    assert len(names) == len(set(names))
    assert told().keys() == set(names)


def test_the_page_says_which_form_runs_it():
    quick = {one.name for one in chosen("postgres", "", quick=True)}
    assert quick == {name for name, (form, _) in told().items() if form == "quick"}
    on_sqlite = {one.name for one in chosen("sqlite", "", quick=True)}
    assert on_sqlite == {name for name, (_, mark) in told().items() if mark}
    assert on_sqlite == SQLITE_QUICK


def test_the_full_form_leaves_nothing_out():
    both = {one.name for one in chosen("postgres", "", quick=False)}
    assert both == {one.name for one in every()}
    less = both - {one.name for one in chosen("sqlite", "", quick=False)}
    assert all(
        name.startswith(("PostgreSQL", "worker dies at", "one poisonous row"))
        for name in less
    )
