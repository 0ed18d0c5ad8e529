"""The words the rules are written in: closed sets, the same in packs and records."""

from enum import StrEnum


class Kind(StrEnum):
    """What a school rehearses; a pack's terms say what its law calls each."""

    FIRE = "fire"
    EVACUATE = "evacuate"
    LOCKDOWN = "lockdown"
    SECURE = "secure"
    HOLD = "hold"
    TORNADO = "tornado"
    SHELTER_HAZMAT = "shelter_hazmat"
    ACTIVE_THREAT = "active_threat"
    EARTHQUAKE = "earthquake"
    REVERSE_EVACUATION = "reverse_evacuation"
    BUS_EVACUATION = "bus_evacuation"
    REUNIFICATION = "reunification"
    MEDICAL = "medical"
    OTHER = "other"


class Action(StrEnum):
    """The protective action a kind of drill rehearses."""

    HOLD = "hold"
    SECURE = "secure"
    LOCKDOWN = "lockdown"
    EVACUATE = "evacuate"
    SHELTER = "shelter"


class Level(StrEnum):
    """Whom a school teaches; the same words as on the school itself."""

    ELEMENTARY = "elementary"
    MIDDLE = "middle"
    HIGH = "high"
    ALTERNATIVE = "alternative"


class Sector(StrEnum):
    """Who runs a school, where a law asks other things of some."""

    DISTRICT = "district"
    CHARTER = "charter"
    PRIVATE = "private"


class Severity(StrEnum):
    """How binding a rule is, most binding first."""

    LAW = "law"
    POLICY = "district policy"
    PRACTICE = "best practice"


class Party(StrEnum):
    """Who is told before a drill."""

    GUARDIANS = "guardians"
    POLICE = "police"
    FIRE_SERVICE = "fire service"
    STAFF = "staff"


class Firmness(StrEnum):
    """Whether a lead time may be shorter for a reason that is written down."""

    HARD = "hard"
    WHEN_PRACTICABLE = "when practicable"


class Condition(StrEnum):
    """How a drill was held. The `distinct_` ones compare drills with each other."""

    LUNCH = "lunch"
    RECESS = "recess"
    ASSEMBLY = "assembly"
    PASSING = "passing"
    ARRIVAL = "arrival"
    DISMISSAL = "dismissal"
    SECONDARY_EXIT = "secondary_exit"
    EXIT_BLOCKED = "exit_blocked"
    SUBSTITUTE_PRESENT = "substitute_present"
    UNANNOUNCED_TO_STAFF = "unannounced_to_staff"
    DISTINCT_WEEKDAYS = "distinct_weekdays"
    DISTINCT_HOURS = "distinct_hours"


DISTINCT = frozenset({Condition.DISTINCT_WEEKDAYS, Condition.DISTINCT_HOURS})


class LinkName(StrEnum):
    """The links of a drill's chain, in the order they happen."""

    NOTICE = "notice"
    OPT_OUTS = "opt_outs"
    ANNOUNCEMENT = "announcement"
    NO_SIMULATION = "no_simulation"
    DRILL = "drill"
    NOT_COMBINED = "not_combined"
    DEBRIEF = "debrief"
    MENTAL_HEALTH = "mental_health"
    AFTER_ACTION = "after_action"
    FOLLOW_UPS = "follow_ups"


class Status(StrEnum):
    """Where one school stands with one rule: always exactly one."""

    NOT_DUE = "not due"
    ON_TRACK = "on track"
    AT_RISK = "at risk"
    LATE = "late"
    MET = "met"
    MET_CHAIN_BROKEN = "met but its chain is broken"
    WAIVED = "waived"


URGENCY = (
    Status.LATE,
    Status.AT_RISK,
    Status.MET_CHAIN_BROKEN,
    Status.ON_TRACK,
    Status.NOT_DUE,
    Status.MET,
    Status.WAIVED,
)
"""The order a coordinator looks at them in."""
