"""Writes about agencies and what was agreed with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction

from schools import audit
from schools.models import Agency, Agreement, Clause, School, User
from schools.models.places import district_today


class NameInUse(ValueError):
    """An agency has this name already."""


class NumberInUse(ValueError):
    """An agreement has this number already."""


class NotRenewable(ValueError):
    """The agreement was renewed or ended early, or the new one begins before it."""


class NotEndable(ValueError):
    """The agreement is over, or the day does not lie within it."""


@dataclass(frozen=True, slots=True)
class AgencyFacts:
    """What is kept of an agency. `dispatch_phone` is E.164."""

    name: str
    kind: str
    dispatch_phone: str
    owner: User | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What both sides signed. In force from `starts_on` through `ends_on`.

    `clauses` is Clause.Kind → text; a kind without text is left out. `schools` counts
    only where not every school is covered.
    """

    number: str
    title: str
    starts_on: date
    ends_on: date
    signed_on: date
    signed_for_district: str
    signed_for_agency: str
    document_reference: str = ""
    covers_every_school: bool = False
    schools: tuple[School, ...] = ()
    clauses: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def add_agency(*, facts: AgencyFacts, by: User | None, now: datetime) -> Agency:
    """Add an agency; it has no agreement and nobody who signs in. Raises NameInUse."""
    _refuse_name(facts.name)
    agency = Agency.objects.create(
        name=facts.name,
        kind=facts.kind,
        dispatch_phone=facts.dispatch_phone,
        owner=facts.owner,
    )
    audit.record(
        "partners.agency_added",
        by=by,
        now=now,
        subject=f"agency:{agency.pk}",
        name=agency.name,
        kind=agency.kind,
    )
    return agency


@transaction.atomic
def change_agency(
    *, agency: Agency, facts: AgencyFacts, by: User, now: datetime
) -> bool:
    """Set what is kept of an agency; False where nothing was different.

    Raises NameInUse.
    """
    locked = Agency.objects.select_for_update().get(pk=agency.pk)
    _refuse_name(facts.name, but=locked)
    held = {
        "name": locked.name,
        "kind": locked.kind,
        "dispatch_phone": str(locked.dispatch_phone),
        "owner": locked.owner_id,
    }
    wanted = {
        "name": facts.name,
        "kind": facts.kind,
        "dispatch_phone": facts.dispatch_phone,
        "owner": facts.owner.pk if facts.owner else None,
    }
    changed = {
        key: {"from": held[key], "to": value}
        for key, value in wanted.items()
        if held[key] != value
    }
    if not changed:
        return False
    locked.name, locked.kind = facts.name, facts.kind
    locked.dispatch_phone, locked.owner = facts.dispatch_phone, facts.owner
    locked.save()
    audit.record(
        "partners.agency_changed",
        by=by,
        now=now,
        subject=f"agency:{agency.pk}",
        **changed,
    )
    return True


@transaction.atomic
def record_agreement(
    *, agency: Agency, terms: Terms, by: User | None, now: datetime
) -> Agreement:
    """Record a signed agreement; its agency's people rest on it from its first day.

    Raises NumberInUse.
    """
    return _record("partners.agreement_recorded", agency, terms, None, by, now)


@transaction.atomic
def renew_agreement(
    *, agreement: Agreement, terms: Terms, by: User, now: datetime
) -> Agreement:
    """Record the agreement that follows this one; both keep their own days.

    Raises NotRenewable and NumberInUse.
    """
    old = _locked(agreement)
    if Agreement.objects.filter(renewed_from=old).exists():
        raise NotRenewable(f"{old.number} was renewed already. Nothing was recorded.")
    if old.ended_on is not None:
        raise NotRenewable(
            f"{old.number} was ended early. Record a new agreement instead."
        )
    if terms.starts_on <= old.starts_on:
        raise NotRenewable(
            f"A renewal begins after {old.number} began. Nothing was recorded."
        )
    return _record("partners.agreement_renewed", old.agency, terms, old, by, now)


@transaction.atomic
def end_agreement(
    *, agreement: Agreement, on: date, because: str, by: User, now: datetime
) -> None:
    """End an agreement early: from the midnight in which `on` begins it is over.

    Raises NotEndable for a day that is past or outside of it, and where it is over.
    """
    locked = _locked(agreement)
    today = district_today(now)
    if locked.ended_on is not None or locked.ends_on < today:
        raise NotEndable(f"{locked.number} is over already. Nothing was changed.")
    first = max(today, locked.starts_on)
    if not first <= on <= locked.ends_on:
        raise NotEndable("Choose a day from today on, within the agreement.")
    locked.ended_on, locked.ended_because = on, because
    locked.ended_at, locked.ended_by = now, by
    locked.save()
    audit.record(
        "partners.agreement_ended",
        by=by,
        now=now,
        subject=locked.subject,
        number=locked.number,
        agency=locked.agency.name,
        on=on,
        because=because,
    )


def _record(
    event: str,
    agency: Agency,
    terms: Terms,
    renewed_from: Agreement | None,
    by: User | None,
    now: datetime,
) -> Agreement:
    if Agreement.objects.filter(number__iexact=terms.number).exists():
        raise NumberInUse(f"There is an agreement {terms.number} already.")
    made = Agreement.objects.create(
        agency=agency,
        number=terms.number,
        title=terms.title,
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
        covers_every_school=terms.covers_every_school,
        signed_on=terms.signed_on,
        signed_for_district=terms.signed_for_district,
        signed_for_agency=terms.signed_for_agency,
        document_reference=terms.document_reference,
        renewed_from=renewed_from,
        created_at=now,
        created_by=by,
    )
    schools = () if terms.covers_every_school else terms.schools
    made.schools.set(schools)
    Clause.objects.bulk_create(
        Clause(agreement=made, kind=kind, text=text)
        for kind, text in terms.clauses.items()
        if text
    )
    audit.record(
        event,
        by=by,
        now=now,
        subject=made.subject,
        number=made.number,
        agency=agency.name,
        starts_on=made.starts_on,
        ends_on=made.ends_on,
        schools="every school"
        if made.covers_every_school
        else sorted(school.code for school in schools),
        **({"renewed_from": renewed_from.number} if renewed_from else {}),
    )
    return made


def _locked(agreement: Agreement) -> Agreement:
    return Agreement.objects.select_for_update().get(pk=agreement.pk)


def _refuse_name(name: str, but: Agency | None = None) -> None:
    same = Agency.objects.filter(name__iexact=name).first()
    if same is not None and same != but:
        raise NameInUse(f"There is an agency called {name} already.")
