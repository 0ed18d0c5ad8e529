"""The demo's maps and first kits: drawn, hashed, one of them stale on purpose."""

import io
from datetime import timedelta

import pytest
from PIL import Image

from safety_portal.demo.go_kits import STALE, draw_map, hang_on, make_first_kits
from schools import plan_files
from schools.go_kits import shelf
from schools.go_kits.standing import standing
from tests import cast
from tests.schools import attaching, planning

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def disk(settings, tmp_path):
    attaching.keep_files_in(tmp_path, settings)


def test_a_drawn_map_is_a_small_picture():
    drawn = draw_map("Champlin-Brooklyn Park Academy")
    assert Image.open(io.BytesIO(drawn)).size == (1000, 700)
    assert len(drawn) < 60_000


def test_every_plan_gets_a_map_that_is_what_it_says_and_four_points():
    plans = [planning.make_plan(cast.lincoln()), planning.make_plan(cast.roosevelt())]
    hang_on(plans, now=cast.NOW)
    for plan in plans:
        attachment = plan.attachments.get()
        assert plan_files.read(attachment).startswith(b"\x89PNG")
        assert plan.rally_points.count() == 4
    wheres = [plan.rally_points.get(use="assembly").where for plan in plans]
    assert wheres[0] != wheres[1]


def test_two_kits_are_fresh_and_one_is_stale_and_a_draft_has_none():
    schools = {
        code: cast.make_school(code)
        for code in ("lincoln-high", "roosevelt-middle", STALE, "compass")
    }
    for school in schools.values():
        plan = planning.make_plan(school)
        if school.code != "roosevelt-middle":
            planning.close(plan)
    make_first_kits(schools, now=cast.NOW)
    assert shelf.codes() == sorted([STALE, "lincoln-high"])
    later = cast.NOW + timedelta(minutes=5)
    assert standing(schools["lincoln-high"], now=later).status == "ok"
    assert standing(schools[STALE], now=later).word == "Stale"
    assert standing(schools["compass"], now=later).word == "No go-kit yet"
    assert standing(schools["roosevelt-middle"], now=later).status == "idle"
