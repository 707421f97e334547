"""Signed acks without what both sides can tell; they are put back to the same bytes."""

from __future__ import annotations

from typing import Final

from onestop_sync import keys
from onestop_sync.acks import Acks, parse_acks
from onestop_sync.brief.line import ID_BYTES, NONCE_BYTES, Line, read_marks
from onestop_sync.columns import Columns, Reader
from onestop_sync.compact import Block
from onestop_sync.errors import FormatError

# Marks of acks: what is as the line says.
_NODE, _UNIT, _AGE = 1, 2, 4
_AS_IT_IS: Final = 8
_ENDS: Final = 16  # it names the ends of what was brought, and no more
_MAX_ENTRIES: Final = 100_000
"""Logs that the statements of one answer may name."""

End = tuple[bytes, int, bytes]
"""The last event of a log in a request: log, sequence, id."""


class AcksOnWire:
    """Signed acks without what both sides can tell.

    acks = marks, [node], [unit], [epoch], time, after, logs, events, signature
    logs      = number, then for each the number of its end in the request + 1, or 0, log, seq and head
    """

    def __init__(self, line: Line, epoch: bytes, brought: Block) -> None:
        self.line = line
        self.epoch = epoch
        self.ends = brought.ends
        self._at_ms = brought.time_ms
        self._left = _MAX_ENTRIES

    def write(self, data: bytes, columns: Columns) -> None:
        """Writes one; it is put back to the same bytes."""
        said, _, signature = parse_acks(data)
        if not _is_usual(said, signature):
            columns.number(_AS_IT_IS)
            columns.string(data)
            return
        line = self.line
        marks = _NODE * (said.node == line.node) | _UNIT * (said.unit == line.unit)
        marks |= _AGE * (said.epoch == self.epoch)
        is_ends = list(said.logs) == self.ends and not said.events
        marks |= _ENDS * is_ends
        columns.number(marks)
        if not marks & _NODE:
            columns.raw += said.node
        if not marks & _UNIT:
            columns.string(said.unit.encode())
        if not marks & _AGE:
            columns.raw += said.epoch
        columns.signed(said.at_ms - self._at_ms)
        self._at_ms = said.at_ms
        columns.number(said.after)
        if not is_ends:
            columns.number(len(said.logs))
            for entry in said.logs:
                self._entry(entry, columns)
            columns.number(len(said.events))
        columns.raw += b"".join(said.events) + signature

    def _entry(self, entry: tuple[bytes, int, bytes], columns: Columns) -> None:
        if entry in self.ends:
            columns.number(self.ends.index(entry) + 1)
            return
        log, seq, head = entry
        columns.number(0)
        columns.number(seq)
        columns.raw += log + head

    def read(self, reader: Reader) -> bytes:
        """Reads one."""
        line = self.line
        marks = read_marks(reader, 2 * _ENDS - 1)
        if marks == _AS_IT_IS:
            return reader.string()
        node = line.node if marks & _NODE else reader.raw(ID_BYTES)
        unit = line.unit if marks & _UNIT else reader.name()
        epoch = self.epoch if marks & _AGE else reader.raw(NONCE_BYTES)
        self._at_ms += reader.signed()
        after = reader.number()
        logs, events = self._spent(self.ends) if marks & _ENDS else [], list[bytes]()
        if not marks & _ENDS:
            logs = [self._read_entry(reader) for _ in range(self._count(reader))]
            events = [reader.raw(ID_BYTES) for _ in range(reader.number())]
        said = Acks(node, unit, epoch, self._at_ms, after, tuple(logs), tuple(events))
        return said.with_signature(reader.raw(keys.SIGNATURE_BYTES))

    def _count(self, reader: Reader) -> int:
        """Reads how many logs a statement names; a byte names one that takes eighty."""
        count = reader.number()
        self._spend(count)
        return count

    def _spent(self, ends: list[End]) -> list[End]:
        self._spend(len(ends))
        return ends

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise FormatError("A packet is larger than the protocol allows.")

    def _read_entry(self, reader: Reader) -> tuple[bytes, int, bytes]:
        number = reader.number()
        if number > len(self.ends):
            raise FormatError("An ack names a log that was not sent.")
        if number:
            return self.ends[number - 1]
        seq = reader.number()
        log = reader.raw(ID_BYTES)
        return log, seq, reader.raw(ID_BYTES)


def _is_usual(said: Acks, signature: bytes) -> bool:
    ids = [said.node, *said.events, *(part for log, _, head in said.logs for part in (log, head))]
    numbers = [said.at_ms, said.after, *(seq for _, seq, _ in said.logs)]
    return (
        not said.contents
        and {len(each) for each in ids} == {ID_BYTES}
        and len(said.epoch) == NONCE_BYTES
        and len(signature) == keys.SIGNATURE_BYTES
        and min(numbers) >= 0
        and all(type(each) is int for each in numbers)
    )
