"""A thread with one database connection, for a loop that must not wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connection

T = TypeVar("T")


class Desk:
    """One thread with one database connection, so that the event loop never waits."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lane-db")

    async def do(self, work: Callable[..., T], *args: Any) -> T:
        """Run blocking database work in this desk's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work, *args)

    async def hang_up(self) -> None:
        """Drop the connection, so that the next statement opens a fresh one."""
        await self.do(lambda: connection.close())  # this thread's, looked up there

    async def close(self) -> None:
        """Hang up and end the thread."""
        await self.hang_up()
        self._thread.shutdown(wait=True)
