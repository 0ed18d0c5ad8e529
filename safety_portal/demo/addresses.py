"""Phone numbers and email addresses that reach nobody, and never the same one twice.

555-0100 to -0199 is kept for fiction in every area code (NANPA). Area codes N9X are
kept for the day numbers grow longer, so no phone has one. Names under example.org are
nobody's (RFC 2606).
"""

import re

from .names import plain

OFFICE = range(100)
"""Offices, dispatch desks and senders: 763-555-01xx."""
STAFF_AREA_CODES = (612, 651, 952, 320, 218, 507)
GUARDIAN_AREA_CODES = tuple(n * 100 + 90 + x for n in range(2, 10) for x in range(10))
LINES = 10_000

REACHES_NOBODY = re.compile(
    r"\+1(?:(?:763|612|651|952|320|218|507)55501\d\d|[2-9]9\d555\d{4})"
)
"""Every number of the demo district fits this, whole."""


def office_phone(n: int) -> str:
    """The n-th number of an office, E.164; n from 0 to 99."""
    if n not in OFFICE:
        raise ValueError(f"There are only {len(OFFICE)} invented office numbers.")
    return f"+17635550{100 + n}"


def staff_phone(n: int) -> str:
    """The n-th mobile of somebody on the staff, E.164; n from 0 to 599."""
    area, line = divmod(n, 100)
    if not 0 <= area < len(STAFF_AREA_CODES):
        raise ValueError("There are only 600 invented staff numbers.")
    return f"+1{STAFF_AREA_CODES[area]}5550{100 + line}"


def guardian_phone(n: int) -> str:
    """The n-th number of a guardian, E.164; n from 0 to 799,999."""
    if not 0 <= n < len(GUARDIAN_AREA_CODES) * LINES:
        raise ValueError("There are only 800,000 invented guardian numbers.")
    # Neighbours in the list should not be neighbours on the dial: 7919 has no factor
    # in common with 800,000, so every number still comes up once.
    area, line = divmod(n * 7919 % (len(GUARDIAN_AREA_CODES) * LINES), LINES)
    return f"+1{GUARDIAN_AREA_CODES[area]}555{line:04d}"


def guardian_email(given: str, family: str, n: int) -> str:
    """The address of guardian number n."""
    return f"{plain(given)}.{plain(family)}.{n}@families.example.org"


def staff_email(given: str, family: str, n: int) -> str:
    """The address of the n-th member of staff, as a district would write it."""
    return f"{plain(given)}.{plain(family)}{n}@district.example.org"
