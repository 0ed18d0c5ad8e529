"""python -m safety_portal.supervisor [run | reset | manage COMMAND …]."""

import os
import sys

from safety_portal.supervisor.parts import PYTHON, House, Wishes
from safety_portal.supervisor.state import ROOT, Refusal, State
from safety_portal.supervisor.watch import Watch

USAGE = "use: python -m safety_portal.supervisor [run | reset | manage COMMAND ...]"


def main(words: list[str]) -> int:
    """The exit status: 0 stopped as asked, 1 failed, 2 refused with a reason."""
    state = State()
    try:
        match words:
            case [] | ["run"]:
                return run(state)
            case ["reset"]:
                print(state.reset())
            case ["manage", *command]:
                manage(state, command)
            case _:
                print(USAGE, file=sys.stderr)
                return 2
    except Refusal as reason:
        print(reason, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def run(state: State) -> int:
    """Run the portal until somebody stops it. Raises Refusal before it starts."""
    state.open()
    wishes = Wishes.read(os.environ)
    return Watch(House(state, wishes)).run()


def manage(state: State, command: list[str]) -> None:
    """Become `manage.py COMMAND` with the environment of the running portal."""
    env = state.environment()
    os.chdir(ROOT)
    os.execve(PYTHON, [PYTHON, str(ROOT / "manage.py"), *command], env)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
