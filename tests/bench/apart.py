"""python -m tests.bench.apart MODULE WORDS…: run a module's `main` with Django set up.

Models can be imported only once Django knows its database, and that is decided by the
environment we are started with.
"""

import sys
from importlib import import_module

import django

if __name__ == "__main__":
    django.setup()
    import_module(sys.argv[1]).main(sys.argv[2:])
