"""The demo district's agencies and schools, as rows."""

import csv
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from schools.models import Agency, District, School

from .addresses import office_phone

DISTRICT_NAME = "Rum River Schools (demo)"
TIMEZONE = "America/Chicago"
SCHOOLS_FILE = Path(__file__).with_name("schools.csv")
AGENCIES = (
    ("Anoka Police Department", Agency.Kind.POLICE),
    ("Anoka County Sheriff’s Office", Agency.Kind.SHERIFF),
    ("Blaine Police Department", Agency.Kind.POLICE),
    ("Brooklyn Park Police Department", Agency.Kind.POLICE),
    ("Champlin Police Department", Agency.Kind.POLICE),
    ("Coon Rapids Police Department", Agency.Kind.POLICE),
)
FIRST_DISPATCH_PHONE = 60
GRADES = {
    "elementary": ("K", "1", "2", "3", "4", "5"),
    "middle": ("6", "7", "8"),
    "high": ("9", "10", "11", "12"),
    "alternative": ("9", "10", "11", "12"),
}


class Scale(StrEnum):
    """How much of the district is made."""

    SMALL = "small"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """One line of `schools.csv`.

    `middle` and `high` are the codes of the schools an elementary school leads to.
    """

    code: str
    name: str
    level: str
    municipality: str
    county: str
    agency: str
    students: int
    has_sro: bool
    middle: str
    high: str

    @property
    def grades(self) -> tuple[str, ...]:
        """The grades taught here."""
        return GRADES[self.level]


def read_schools(scale: Scale) -> list[SchoolPlan]:
    """The schools of this scale in the order of the file, with how many students."""
    column = "students_small" if scale is Scale.SMALL else "students"
    with SCHOOLS_FILE.open(encoding="utf-8", newline="") as file:
        return [
            SchoolPlan(
                code=row["code"],
                name=row["name"],
                level=row["level"],
                municipality=row["municipality"],
                county=row["county"],
                agency=row["agency"],
                students=int(row[column]),
                has_sro=row["sros"] == "1",
                middle=row["middle"],
                high=row["high"],
            )
            for row in csv.DictReader(file)
            if int(row[column])
        ]


def school_year_began(today: date) -> date:
    """The 25th of August before a day: the staff's first day."""
    year = today.year if (today.month, today.day) >= (8, 25) else today.year - 1
    return date(year, 8, 25)


def make_places(plans: list[SchoolPlan]) -> dict[str, School]:
    """Save the district, its six agencies and these schools; the schools by code."""
    district = District.objects.create(
        name=DISTRICT_NAME, state="MN", timezone=TIMEZONE
    )
    agencies = {
        name: Agency.objects.create(
            name=name,
            kind=kind,
            dispatch_phone=office_phone(FIRST_DISPATCH_PHONE + n),
        )
        for n, (name, kind) in enumerate(AGENCIES)
    }
    schools = School.objects.bulk_create(
        School(
            district=district,
            code=plan.code,
            external_id=f"demo-{plan.code}",
            name=plan.name,
            level=plan.level,
            municipality=plan.municipality,
            county=plan.county,
            timezone=TIMEZONE,
            agency=agencies.get(plan.agency),
            leadership_phone=office_phone(n),
        )
        for n, plan in enumerate(plans)
    )
    return {school.code: school for school in schools}
