"""A report that cannot say no proves nothing."""

import json
from datetime import UTC, datetime

from tests.bench import report


def test_the_value_of_a_row_is_the_median_of_its_rounds():
    assert report.row("texts", [3, 90, 4], "texts/s").value == 4


def test_a_row_below_its_bar_does_not_hold():
    assert report.row("share", [0.89], "×", "≥ 0.90").holds is False
    assert report.row("share", [0.90], "×", "≥ 0.90").holds is True
    assert report.row("first", [0.51], "s", "≤ 0.5").holds is False
    assert report.row("first", [0.50], "s", "≤ 0.5").holds is True


def test_a_row_without_a_bar_neither_holds_nor_fails():
    assert report.row("texts", [1], "texts/s").holds is None


def test_a_measurement_that_failed_in_every_round_does_not_hold():
    failed = report.row("ratio", [], "×", "≥ 40")
    assert (failed.value, failed.holds) == (None, False)


def test_what_was_not_measured_has_no_figure_and_says_why():
    missing = report.not_measured("a peer", "mails/s", "≥ 5", "it is not installed")
    shown = report.table([missing])
    assert "not measured" in shown
    assert "it is not installed" in shown


def test_the_kept_report_says_what_it_was_measured_on(tmp_path):
    path = tmp_path / "var" / "bench.json"
    report.write(
        [report.row("texts", [2.0], "texts/s", "≥ 1")],
        path,
        database="PostgreSQL 18.4, fsync on",
        settings={"rounds": 1},
        now=datetime(2026, 10, 6, 15, 30, tzinfo=UTC),
    )
    kept = json.loads(path.read_text())
    assert kept["measured_at"] == "2026-10-06T15:30:00+00:00"
    assert kept["database"] == "PostgreSQL 18.4, fsync on"
    assert {"cpus", "python"} <= kept.keys()
    assert kept["rows"][0]["rounds"] == [2.0]
    assert kept["rows"][0]["holds"] is True
