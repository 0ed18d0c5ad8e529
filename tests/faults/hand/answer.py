"""What the hand says back: something JSON can hold."""

from typing import Any

Answer = dict[str, Any]
