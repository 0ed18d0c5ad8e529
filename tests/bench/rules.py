"""How long a state's schools take to judge: python -m tests.bench.rules [SCHOOLS].

Not part of `make bench` and not a timed test: it prints what it measured. Each school
has 55 drills, eleven a year for five years, under Minnesota's pack and a district's;
half share a calendar, as the schools of a district do, the rest have one each.
"""

import random
import sys
import time
from collections import Counter
from datetime import date, timedelta

from drills.pack_files import load
from drills.rules import Days, HeldDrill, Kind, Level, SchoolFacts, evaluate
from tests.drills.drilling import at, make_days, school_days

AS_OF = date(2027, 2, 1)
EACH_YEAR = [Kind.FIRE] * 5 + [Kind.LOCKDOWN] * 5 + [Kind.TORNADO]
YEARS = 5


def drills_of(school: int, chance: random.Random) -> list[HeldDrill]:
    """Five years of drills on days of a school year."""
    found = []
    for back in range(YEARS):
        for number, kind in enumerate(EACH_YEAR):
            day = date(2026 - back, 9, 8) + timedelta(days=chance.randrange(270))
            found.append(
                HeldDrill(
                    key=f"{school}-{back}-{number}",
                    kind=kind,
                    day=day,
                    starts_at=at(day, chance.randrange(8, 15)),
                )
            )
    return found


def measure(schools: int, *packs: str) -> tuple[float, float, Counter[str]]:
    """Seconds and CPU seconds to judge so many schools, and the statuses found."""
    chance = random.Random(schools)
    layers = [load(pack) for pack in packs]
    shared = make_days()
    own = school_days(shared.year_starts_on, shared.year_ends_on)
    made: list[tuple[list[HeldDrill], Days]] = [
        (
            drills_of(school, chance),
            shared if school % 2 else make_days(instructional=own),
        )
        for school in range(schools)
    ]
    facts = SchoolFacts(level=Level.HIGH)
    statuses: Counter[str] = Counter()
    began, worked = time.perf_counter(), time.process_time()
    for drills, days in made:
        for result in evaluate(layers, facts, drills, days, AS_OF):
            statuses[result.status] += 1
    return time.perf_counter() - began, time.process_time() - worked, statuses


def main() -> None:
    schools = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    for packs in (("us-mn",), ("us-mn", "district-example")):
        rules = sum(len(load(pack).rules) for pack in packs)
        print(f"{' and '.join(packs)}, {rules} rules")
        for share in (schools // 4, schools // 2, schools):
            seconds, worked, statuses = measure(share, *packs)
            drills = share * YEARS * len(EACH_YEAR)
            print(
                f"{share:5} schools, {drills:7,} drills: {seconds:5.2f} s, "
                f"{worked:5.2f} s of CPU, {worked / share * 1000:.2f} ms a school"
            )
        found = (f"{status} {count}" for status, count in statuses.most_common())
        print(", ".join(found))


if __name__ == "__main__":
    main()
