"""Places where a test may kill this process, to prove that nothing is lost there.

Set PORTAL_FAILPOINT=name (or name:n for the n-th pass) in a worker's environment and
it dies there by SIGKILL. Costs one comparison when unset.
"""

import os
import signal
from itertools import count

NAMES = (
    "after_claim",
    "after_mark",
    "before_request",
    "after_response",
    "before_write_back",
    "after_write_back",
    "mid_materialise",
    "after_commit_before_doorbell",
)
_wanted, _, _pass = os.environ.get("PORTAL_FAILPOINT", "").partition(":")
_passes = count(1)


def failpoint(name: str) -> None:
    """Die here if this is the named place and the named pass."""
    if name == _wanted and next(_passes) == int(_pass or 1):
        os.kill(os.getpid(), signal.SIGKILL)
