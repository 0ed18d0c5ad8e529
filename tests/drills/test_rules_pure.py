"""The rules lean on nothing but the language: no database, no request, no clock."""

import ast
import sys
from pathlib import Path

import drills
from drills.pack_asks import PRIMITIVES
from drills.rules.primitives import Primitive

ROOT = Path(drills.__file__).parent
PURE = [*sorted((ROOT / "rules").glob("*.py")), *sorted(ROOT.glob("pack_*.py"))]
CLOCKS = {"today", "now", "utcnow", "time_ns", "perf_counter"}


def test_the_rules_import_only_the_language_and_each_other():
    found = []
    for path in PURE:
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            found += [
                f"{path.name} leans on {name}"
                for name in names
                if name.split(".")[0] not in sys.stdlib_module_names
            ]
    assert len(PURE) > 10
    assert not found


def test_no_rule_reads_a_clock():
    found = [
        f"{path.name}:{node.lineno} {ast.unparse(node.func)}"
        for path in PURE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
    ]
    assert not found


def test_a_pack_can_ask_every_primitive_and_the_page_names_each():
    page = (ROOT.parent / "docs" / "drill-rules.md").read_text()
    assert len(PRIMITIVES) == len(Primitive.__args__)
    for name in PRIMITIVES:
        assert f"| `{name}` |" in page
