"""A hand inside a running portal: it presses, cancels and counts, as asked by pipe.

In the environment of the portal's parts it reads one JSON object a line,
`{"do": name, …}`, and answers with one. It uses the same functions as the web does, so
a press here is a press there. `tests.faults.rig.Hand` starts and holds it.
"""

import json
import sys
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection

from tests.faults.hand import district, looking, meddling, people
from tests.faults.hand.answer import Answer

TASKS: dict[str, Callable[..., Answer]] = {
    work.__name__: work
    for work in (
        district.prepare,
        district.eligible,
        district.sender,
        district.stopped,
        district.unusable,
        district.begin_again,
        people.end_emergencies,
        people.compose,
        people.session,
        people.press,
        people.follow,
        people.press_again,
        people.cancel,
        looking.where,
        looking.look,
        looking.lane,
        looking.workers,
        looking.unapplied,
        looking.newest,
        looking.alerts,
        looking.alarms,
        looking.tide,
        meddling.materialise_again,
        meddling.ring,
        meddling.sweep,
        meddling.lock_deliveries,
        meddling.unlock,
        meddling.list_makers,
        meddling.poison,
        meddling.cure,
        meddling.family_row_refused,
    )
}


def main() -> None:
    """Answer until the pipe closes."""
    for line in sys.stdin:
        wish = json.loads(line)
        try:
            answer = TASKS[wish.pop("do")](**wish)
        except (DatabaseError, InterfaceError) as lost:
            connection.close()
            answer = {"error": f"{type(lost).__name__}: {lost}"}
        except Exception as failed:  # told to whoever asked
            answer = {"error": f"{type(failed).__name__}: {failed}"}
        print(json.dumps(answer), flush=True)
