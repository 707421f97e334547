"""A sync with the first parent that answers, and single requests beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from onestop_sync import exchange
from onestop_sync.client.asking import PATIENCE, Asking, Patience
from onestop_sync.client.lines import Lines
from onestop_sync.client.parent import SYNC_PATH, Parent
from onestop_sync.errors import Unreachable, UpstreamError
from onestop_sync.protocol import LIMITS, Limits, Requester, SyncReport
from onestop_sync.store import Store


@dataclass(slots=True)
class WireReport(SyncReport):
    """What a sync over HTTP came to.

    Attributes:
        wire_up: Bytes of requests with HTTP's own, without TLS's and TCP's.
        wire_down: Bytes of answers, the same.
        is_complete: Both sides have what they may have; false when the time was up before.
    """

    wire_up: int = 0
    wire_down: int = 0
    is_complete: bool = True


def sync(
    store: Store,
    parents: Sequence[Parent],
    *,
    lines: Lines | None = None,
    limits: Limits = LIMITS,
    patience: Patience = PATIENCE,
    deadline_s: float = 600.0,
) -> WireReport:
    """Brings the store and the first parent that answers to the same state.

    Args:
        store: The machine's store; other programs may use it meanwhile.
        parents: In the order in which they are tried.
        lines: Open connections to use, and to leave open.
        limits: What one request may cost.
        patience: How long to wait and how often to try.
        deadline_s: No request is begun after so many seconds; what was exchanged until then counts.

    Raises:
        Unreachable: Nobody answered.
        UpstreamRefused: Somebody answered, and said no.
        UpstreamMalformed: Somebody answered who does not speak this protocol.
        StoreError: The disk or database refused; the sync can be repeated.
        NotAllowed: This machine is not enrolled.
    """
    if lines is None:
        with Lines() as own:
            return sync(store, parents, lines=own, limits=limits, patience=patience, deadline_s=deadline_s)
    failures: list[UpstreamError] = []
    end = time.monotonic() + deadline_s
    for parent in lines.order(parents):
        try:
            report = _Exchange(store, parent, lines, limits, patience, end).run()
            lines.note(parent, is_up=True)
        except UpstreamError as error:
            lines.note(parent, is_up=not isinstance(error, Unreachable))
            is_revoked = error.details.get("code") == "revoked"
            exchange.note_failure(store, parent.name, "revoked" if is_revoked else error.code)
            failures.append(error)
        else:
            return report
    # A parent that answered tells more than one that did not.
    told = [error for error in failures if not isinstance(error, Unreachable)]
    raise (told or failures or [Unreachable("No parent is named for this machine.")])[0]


def post(
    parent: Parent,
    path: str,
    body: bytes,
    *,
    limits: Limits = LIMITS,
    patience: Patience = PATIENCE,
    deadline_s: float = 120.0,
) -> tuple[int, bytes]:
    """Sends one request of this protocol beside sync, which may be repeated; returns status and body.

    Args:
        parent: Where to.
        path: Path of the endpoint.
        body: What to send.
        limits: How large the answer may be.
        patience: How long to wait and how often to try.
        deadline_s: No try is begun after so many seconds.

    Raises:
        Unreachable: Nobody answered.
        UpstreamMalformed: Somebody answered who does not speak this protocol.
    """
    with Lines() as lines:
        end = time.monotonic() + deadline_s
        return Asking(parent, lines, path, limits.packet_bytes, patience, end).ask(body)


class _Exchange(Asking):
    """One exchange with one parent."""

    def __init__(
        self,
        store: Store,
        parent: Parent,
        lines: Lines,
        limits: Limits,
        patience: Patience,
        end: float,
    ) -> None:
        super().__init__(parent, lines, SYNC_PATH, limits.packet_bytes, patience, end)
        self.limits = limits
        self.requester = Requester(store, parent.name, limits, is_brief=True, is_wary=bool(parent.found))
        self.pace = self._kept = exchange.load_pace(store, parent.name)

    def run(self) -> WireReport:
        try:
            is_complete = self._run()
        finally:
            if self.pace.budget != self._kept.budget:
                exchange.save_pace(self.requester.store, self.parent.name, self.pace)
        report = self.requester.report
        if not report.round_trips:
            raise Unreachable("The time was up before the parent was asked.")
        plain = {f.name: getattr(report, f.name) for f in fields(report)}
        return WireReport(**plain, wire_up=self.wire_up, wire_down=self.wire_down, is_complete=is_complete)

    def _run(self) -> bool:
        """Asks until there is no more to ask; tells whether that was reached in time."""
        while (body := self._next()) is not None:
            if time.monotonic() > self.end:
                return False
            begun, before = time.monotonic(), self.wire_up + self.wire_down
            status, answer = self.ask(body)
            took_s, wire = time.monotonic() - begun, self.wire_up + self.wire_down - before
            self.requester.take_answer(status, answer)
            most = max(self.limits.batch_bytes, self.limits.answer_bytes)
            self.pace = self.pace.after(wire, took_s, most, is_full=self.requester.has_more)
        return True

    def _next(self) -> bytes | None:
        """Returns the next request, as large as the line bears."""
        budget, limits = self.pace.budget, self.limits
        self.requester.limits = replace(
            limits,
            batch_bytes=min(budget, limits.batch_bytes),
            answer_bytes=min(budget, limits.answer_bytes),
        )
        return self.requester.next_request()

    def was_cut(self) -> None:
        self.requester.was_cut()
        self.pace = self.pace.after_cut()

    def again(self, body: bytes) -> bytes:
        return self._next() or body
