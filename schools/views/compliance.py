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
    counts = {school.pk: behind(found[school.pk]) for school in schools}
    schools.sort(key=lambda one: [-count for count in counts[one.pk]])
    rows = [
        {
            "school": school,
            "cells": [
                next((one for one in found[school.pk] if one.title == title), None)
                for title in titles
            ],
        }
        for school in schools
    ]
    each = list(counts.values())
    context = {
        "titles": titles,
        "rows": rows,
        "bad": sum(bad > 0 for bad, _ in each),
        "warn": sum(bad == 0 < warn for bad, warn in each),
        "well": each.count((0, 0)),
        "laws": sorted({one.law for row in found.values() for one in row if one.law}),
    }
    return render(request, "compliance/ground.html", context)
