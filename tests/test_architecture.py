"""The four floors and the order of the rooms, checked in every file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "safety_portal": {"tips", "drills", "notifications", "schools"},
    "tips": {"notifications", "schools"},
    "drills": {"notifications", "schools"},
    "notifications": {"schools"},
    "schools": set(),
}
"""Each app and the floors it may lean on."""

NOTIFICATIONS_ROOMS = [
    {"models", "channels", "segments", "failpoints", "wording", "desk"},
    {"pace", "senders", "refusals", "alert_templates", "high_water"},
    {"outbox", "audiences", "replies", "reachability", "bounces"},
    {
        "materialising",
        "sending",
        "arrival",
        "progress",
        "drafting",
        "corrections",
        "fallback",
    },
    {"reconcile", "webhooks", "restoring"},
    {"engine"},
    {"tasks"},
    {"emergencies"},
    {"dispatch"},
    {"canary"},
    {"readiness", "handover"},
    {"forms", "sender_forms", "management"},
    {"views"},
    {"urls", "apps"},
]
"""From the bottom up; a room leans on rooms of its own row or below."""

HTTP_ROOMS = {"views", "access", "webhooks", "urls", "admin", "navigation"}
HTTP_MODULES = ("django.http", "django.shortcuts", "django.views")


def files(app: str) -> Iterator[Path]:
    for path in sorted((ROOT / app).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything a file imports, relative names made whole."""
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: -node.level]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            yield node.lineno, module
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def strays(app: str) -> Iterator[str]:
    apps = set(FLOORS)
    for path in files(app):
        where = path.relative_to(ROOT)
        for line, name in imported(path):
            top = name.split(".")[0]
            if top in apps - {app} - FLOORS[app]:
                yield f"{where}:{line} leans on {name}"
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value.count(".") == 1
                and node.value.split(".")[0] in apps - {app} - FLOORS[app]
                and node.value.split(".")[1].isidentifier()
                and node.value.split(".")[1][0].isupper()
            ):
                yield f"{where}:{node.lineno} leans on {node.value!r}"


@pytest.mark.parametrize("app", FLOORS)
def test_nobody_leans_on_the_floors_above_or_beside(app):
    assert not sorted(set(strays(app)))


def test_the_rooms_of_notifications_lean_downwards():
    rank = {room: n for n, row in enumerate(NOTIFICATIONS_ROOMS) for room in row}
    found = []
    for path in files("notifications"):
        room = path.relative_to(ROOT / "notifications").parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        assert room in rank, f"{room}: give this room a place in NOTIFICATIONS_ROOMS"
        for line, name in imported(path):
            parts = name.split(".")
            if parts[0] == "notifications" and len(parts) > 1:
                other = parts[1]
                if rank.get(other, -1) > rank[room]:
                    where = path.relative_to(ROOT)
                    found.append(f"{where}:{line} leans on {name}")
    assert not found


@pytest.mark.parametrize("app", [app for app in FLOORS if app != "safety_portal"])
def test_only_the_rooms_at_the_door_know_http(app):
    found = [
        f"{path.relative_to(ROOT)}:{line} knows {name}"
        for path in files(app)
        if not HTTP_ROOMS & set(path.relative_to(ROOT / app).with_suffix("").parts)
        for line, name in imported(path)
        if name.startswith(HTTP_MODULES)
    ]
    assert not found


@pytest.mark.parametrize("app", FLOORS)
def test_no_bridge_hides_an_import(app):
    found = []
    for path in files(app):
        for line, name in imported(path):
            if name.endswith("TYPE_CHECKING") or name.startswith(
                ("django.dispatch", "django.db.models.signals")
            ):
                found.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not found


def test_no_drawer_fits_everything():
    too_wide = {"core", "common", "utils", "helpers"}
    found = [
        str(path.relative_to(ROOT))
        for app in FLOORS
        for path in files(app)
        if too_wide & set(path.with_suffix("").parts[-2:])
    ]
    assert not found


def test_there_are_five_packages_and_no_fifth_app():
    packages = {
        path.parent.name
        for path in ROOT.glob("*/__init__.py")
        if path.parent.name != "tests"
    }
    assert packages == set(FLOORS)
