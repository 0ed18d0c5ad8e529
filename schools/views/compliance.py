"""What every school has in order, the one that is most behind first."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from schools import compliance
from schools.access import person, requires
from schools.checks import behind
from schools.permissions import Permission


@requires(Permission.SEE_COMPLIANCE)
@require_safe
@never_cache
def compliance_ground(request: HttpRequest) -> HttpResponse:
    """Schools × checks: plans, partners, people."""
    mine = person(request).schools_where(Permission.SEE_COMPLIANCE)
    schools = list(mine.filter(closed_on=None).order_by("name"))
    found = compliance.checks_of(schools, timezone.localdate())
    titles = list(dict.fromkeys(one.title for row in found.values() for one in row))
    rows = [
        {
            "school": school,
            "cells": [
                next((one for one in found[school.pk] if one.title == title), None)
                for title in titles
            ],
            "behind": behind(found[school.pk]),
        }
        for school in schools
    ]
    rows.sort(key=lambda row: tuple(-count for count in row["behind"]))
    context = {
        "titles": titles,
        "rows": rows,
        "bad": sum(row["behind"][0] > 0 for row in rows),
        "warn": sum(row["behind"][0] == 0 and row["behind"][1] > 0 for row in rows),
        "well": sum(row["behind"] == (0, 0) for row in rows),
        "laws": sorted({one.law for row in found.values() for one in row if one.law}),
    }
    return render(request, "compliance/ground.html", context)
