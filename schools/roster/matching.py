"""Which of our schools a file means, and what it calls the ones we do not have."""

from schools.models import School

from .rows import Issue, Ledger

UNKNOWN_SCHOOL = "school"
UNKNOWN_LANGUAGE = "language"
NO_LANGUAGE = "no language"


class Schools:
    """Open schools by external id and by code, in any case of letters."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        for pk, code, external_id in School.objects.open().values_list(
            "pk", "code", "external_id"
        ):
            self._ids.setdefault(code.lower(), pk)
            if external_id:
                self._ids[external_id.lower()] = pk

    def find(self, *names: str) -> int | None:
        """The primary key of the first name that is one of our schools."""
        for name in names:
            if (pk := self._ids.get(name.strip().lower())) is not None:
                return pk
        return None

    def also(self, name: str, pk: int) -> None:
        """Let the file call a school by one more name."""
        self._ids.setdefault(name.strip().lower(), pk)


def summed_up(ledger: Ledger, file: str, school: str, language: str) -> list[Issue]:
    """What is told once for the file: unknown schools and languages with counts.

    `school` and `language` are the columns they stand in.
    """
    issues = [
        Issue(
            file,
            line,
            school,
            "No open school has this code or external id. "
            f"Students not applied, who stay as they were: {many:,}.",
            value,
        )
        for value, line, many in ledger.told(UNKNOWN_SCHOOL)
    ]
    for value, line, many in ledger.told(UNKNOWN_LANGUAGE):
        what = f"A language code we do not know, kept as given (guardians: {many:,})."
        issues.append(Issue(file, line, language, what, value, is_error=False))
    for value, line, many in ledger.told(NO_LANGUAGE):
        what = f"Not a language we know. Guardians who keep what they had: {many:,}."
        issues.append(Issue(file, line, language, what, value, is_error=False))
    return issues
