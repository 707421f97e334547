"""Work off the screen's loop: a call of the desk runs in a thread, its outcome comes back as a message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual.message import Message
from textual.message_pump import MessagePump

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["Asker", "Done", "Failed", "Jobs"]

Call = Callable[[], Any]
Then = Callable[[Any], None]
Otherwise = Callable[[Exception], None]


@dataclass
class Done(Message, bubble=False):
    """A call has returned; the receiver runs `then` in the screen's loop.

    Attributes:
        then: What to do with the result.
        result: What the call returned.
    """

    then: Then
    result: Any


@dataclass
class Failed(Message, bubble=False):
    """A call has raised.

    Attributes:
        otherwise: What to do about it; None: say it.
        error: What it raised.
    """

    otherwise: Otherwise | None
    error: Exception


class Jobs:
    """Runs calls in one thread, in the order in which they were asked for.

    The order matters: a form that is kept twice must end as the second. Threads never touch widgets.
    """

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """The thread; started when it is needed first."""
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(1, "desk")

    async def run(self, receiver: MessagePump, call: Call, then: Then, otherwise: Otherwise | None) -> None:
        """Run a call and post its outcome; what should receive it may be gone by then.

        Args:
            receiver: A screen or the app.
            call: Runs in the thread.
            then: Runs in the screen's loop, with the result.
            otherwise: Runs in the screen's loop when the call has raised.
        """
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(self.pool, call)
        except Exception as error:  # noqa: BLE001 - whatever it is, the screen says so and goes on
            receiver.post_message(Failed(otherwise, error))
        else:
            receiver.post_message(Done(then, result))

    def close(self) -> None:
        """Wait for what is running: nothing that was asked for is left undone."""
        self.pool.shutdown(wait=True)


class _Pump(Protocol):
    """What an `Asker` is besides: a screen of the app, or the app."""

    def run_worker(self, work: Any, *, exit_on_error: bool = True) -> Any:
        """Run a coroutine in the loop."""


class Asker:
    """A screen, or the app, that asks the desk without waiting for it."""

    def jobs_of(self) -> Jobs:
        """Return the thread in which the desk is asked."""
        raise NotImplementedError

    def complain(self, error: Exception) -> None:
        """Say in one sentence what went wrong."""
        raise NotImplementedError

    def work(self, call: Call, then: Then, otherwise: Otherwise | None = None) -> None:
        """Run a call of the desk in its thread; the outcome arrives as a message.

        Args:
            call: What to run.
            then: What to do with the result, in the loop.
            otherwise: What to do when it failed; None says it.
        """
        job = self.jobs_of().run(cast("MessagePump", self), call, then, otherwise)
        # Not tied to this screen: what was asked for, a form kept above all, outlives it.
        cast("_Pump", self).run_worker(job)

    def on_done(self, event: Done) -> None:
        """Go on with a result."""
        event.then(event.result)

    def on_failed(self, event: Failed) -> None:
        """Say it, or do what was meant for this case; what stands on the screen stays."""
        if event.otherwise:
            event.otherwise(event.error)
        else:
            self.complain(event.error)
