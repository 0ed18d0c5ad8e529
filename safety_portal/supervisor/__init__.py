"""`make run`: start every part of the portal, keep it alive, stop it in order.

`python -m safety_portal.supervisor` runs it; `docs/running.md` tells what it reads.
"""
