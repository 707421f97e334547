"""The line to the parents, and the stick: what is sent, what is not, since when, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from commune_client.desk.facts import (
    BundleFacts,
    CheckedProof,
    NoticeFacts,
    ParentFacts,
    ProofFacts,
    SyncFacts,
    SyncResult,
)
from commune_client.desk.place import Place
from commune_client.desk.safekeeping import Safekeeping
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.personal import masked_ops, masked_state
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.timeline import lines_of
from onestop_sync.errors import InvalidInput, NotFound, Unreachable
from onestop_sync.keyring import Secrets
from onestop_sync.search_text import fold_text
from onestop_sync.storage.queries import Notice
from onestop_sync.store import ParentStatus, Store

if TYPE_CHECKING:
    from onestop_sync.bundle import BundleReport
    from onestop_sync.client import Lines, Parent, WireReport
    from onestop_sync.nearby import Watch

__all__ = ["Line", "check_addresses", "check_proof", "whole_address"]

_DAY_MS: Final = 86_400_000
_KEY_HEX: Final = re.compile(r"[0-9a-f]{64}")


class Line(Safekeeping):
    """Synchronisation."""

    def __init__(self, place: Place, store: Store, secrets: Secrets, *, command: str = "") -> None:
        super().__init__(place, store, secrets, command=command)
        self._lines: Lines | None = None
        self._syncing = Lock()
        self._nearby: Watch | None = None

    def status(self) -> SyncFacts:
        """Returns what the line of state shows."""
        status = self.store.status()
        parents = tuple(self._parent(parent) for parent in status.parents)
        tried = [parent for parent in parents if parent.tried_ms]
        return SyncFacts(
            is_online=not max(tried, key=_tried).error if tried else None,
            unsent=status.unsent,
            oldest_unsent_ms=status.oldest_unsent_ms,
            last_sync_ms=max((parent.ok_ms for parent in parents), default=0) or None,
            conflicts=status.conflicts,
            waiting=status.waiting,
            notices=status.notices,
            forks=status.forks,
            parents=parents,
            clock=self.clock(),
            published_until_ms=self.store.publication.expires_ms,
            findings=status.findings,
            stated_ms=status.stated_ms,
            silent_ms=status.silent_ms if self._is_long(status.silent_ms) else None,
            backup=self.backups(),
            unsent_files=(status.unsent_files, status.unsent_bytes),
        )

    def _is_long(self, silent_ms: int) -> bool:
        """Tells whether contact without a statement of the province has gone on for long enough to say so."""
        return silent_ms > self.place.config.statement_days * _DAY_MS

    def prove(self, path: Path, explanation: Callable[[Sequence[str]], str]) -> ProofFacts:
        """Writes what was found out about those above, with what proves it; then it is no news any more.

        Args:
            path: The file.
            explanation: Makes what a person reads first, from the kinds of the findings.

        Raises:
            NotFound: Nothing was found out.
        """
        from onestop_sync.keyring import write_durably
        from onestop_sync.proof_export import export_proof

        kinds = tuple(finding.kind for finding in self.store.findings())
        data, _ = export_proof(self.store, explanation(kinds) if kinds else "")
        write_durably(path, data)
        self.store.mark_told()
        return ProofFacts(str(path), kinds)

    def _parent(self, parent: ParentStatus) -> ParentFacts:
        unit = self.unit_name(parent.unit)
        return ParentFacts(
            parent.name, parent.unit, unit, parent.level, parent.ok_ms, parent.tried_ms, parent.error
        )

    @property
    def parents(self) -> tuple[str, ...]:
        """Addresses to synchronise with, in the order in which they are tried."""
        return self.place.config.parents

    def set_parents(self, addresses: Sequence[str]) -> None:
        """Sets the addresses to synchronise with.

        Raises:
            InvalidInput: One of them is no address.
        """
        check_addresses(addresses)
        self.place.save_config(self.place.config.with_(parents=tuple(addresses)))

    def parent_lines(self) -> list[Parent]:
        """Returns how each parent is reached, in the order in which they are tried.

        Raises:
            InvalidInput: An address in the settings is none.
        """
        from onestop_sync.client import Parent

        config = self.place.config
        authority = Path(config.ca) if config.ca else None
        return [Parent(url, authority, config.proxy) for url in config.parents]

    def sync(self) -> SyncResult:
        """Synchronises with the first parent that answers; needs no officer's key, so a locked desk may.

        Raises:
            InvalidInput: No parent is set.
            Unreachable: None answered; the work is kept and will be sent.
            UpstreamError: One answered, and it was no good.
        """
        named = self.parent_lines()
        parents = [*self._hubs(), *named] or self._hubs(wait=True)
        if not parents:
            raise InvalidInput(
                "No parent is set.", todo="Set the address of the hub or district first.", reason="no_parents"
            )
        with self._syncing:
            self._watch.look()
            result = _result(self._sync_with(parents))
            self._watch.reload()
            return result

    def _sync_with(self, parents: Sequence[Parent]) -> WireReport:
        """Synchronises; where nobody answers, a hub may have been found meanwhile."""
        from onestop_sync.client import sync

        lines = self._open_lines()
        try:
            return sync(self.store, parents, lines=lines)
        except Unreachable:
            found = [parent for parent in self._hubs(wait=True) if parent not in parents]
            if not found:
                raise
            return sync(self.store, found, lines=lines)

    def _hubs(self, *, wait: bool = False) -> list[Parent]:
        """Returns the hubs that announce themselves on the local network; with ``wait``, after a moment."""
        if not self.place.config.find_hub:
            return []
        from onestop_sync.client import Parent
        from onestop_sync.nearby import LOOK_S, Watch

        self._nearby = self._nearby or Watch()
        hubs = self._nearby.hubs(self.store, LOOK_S if wait else 0.0)
        return [Parent(url, found=hub.name) for hub in hubs for url in hub.urls]

    def _open_lines(self) -> Lines:
        """Returns the connections that stay open between two synchronisations."""
        from onestop_sync.client import Lines

        if self._lines is None:
            self._lines = Lines()
        return self._lines

    def close(self) -> None:
        """Closes the connections and the store; of dossiers nothing is written by closing it."""
        if self._lines is not None:
            self._lines.close()
        if self._nearby is not None:
            self._nearby.close()
        super().close()

    # ---- the stick

    def export(self, path: Path, to: Sequence[str] = ()) -> BundleFacts:
        """Writes what others have not confirmed into a sealed file.

        Args:
            path: The file, or a folder such as the stick's.
            to: Machines that may open it, by name as certified or by key or log in hex, or units by id,
                code or name; nobody named: every machine of the own unit and the units above it.

        Raises:
            NotFound: No such machine is known here.
            InvalidInput: Those machines cannot be in one file.
            StoreError: The stick is full or gone; nothing is lost.
        """
        from onestop_sync import export_bundle

        recipients = [key for name in to for key in self._machines(name)]
        try:
            return _bundle(export_bundle(self.store, path, recipients))
        except NotFound as error:
            raise NotFound(error.what, reason="recipients") from None

    def import_(self, path: Path) -> BundleFacts:
        """Takes a file that somebody exported for this machine.

        Raises:
            BundleRejected: Not a bundle for this machine, or damaged; nothing was imported.
        """
        from onestop_sync import import_bundle

        self._watch.look()
        facts = _bundle(import_bundle(self.store, path))
        self._watch.reload()
        return facts

    def _machines(self, name: str) -> list[bytes]:
        """Returns the keys of the machines that a person names."""
        if _KEY_HEX.fullmatch(name):
            return [bytes.fromhex(name)]
        known = {c.key: c for _, c in self.store.trust.certificates() if c.kind == "machine"}
        named = [key for key, c in known.items() if fold_text(c.name) == fold_text(name)]
        if named:
            return named
        unit = self.find_unit(name)
        found = [key for key, c in known.items() if c.unit == unit]
        if not found:
            raise NotFound(f"No machine of {name!r} is known here.", unit=name)
        return found

    # ---- what changed behind one's back

    def notices(self, *, unseen: bool = True) -> list[NoticeFacts]:
        """Returns changes of standing that came after the fact, oldest first."""
        return [self._notice(notice) for notice in self.store.notices(unseen=unseen)]

    def mark_seen(self, numbers: Sequence[int]) -> None:
        """Notes that a person has seen notices."""
        self.store.mark_seen(numbers)

    def _notice(self, notice: Notice) -> NoticeFacts:
        code = title = who = ""
        record = next((r for r in self.store.history(notice.doc) if r.event.id == notice.event), None)
        try:
            document = self.store.document(notice.doc)
        except NotFound:
            pass  # nothing of it is in effect: there is no code yet
        else:
            if document.kind.name == DOSSIER.name:
                view = self._view(masked_state(document.state) if self.is_masked else document.state)
                code, title = view.code, f"{view.applicant} – {view.procedure_name}"
        if record and record.author:
            who = one_line(record.author.certificate.name)
        ops = record.ops if record else ()
        lines = tuple(lines_of(masked_ops(ops) if self.is_masked else ops))
        return NoticeFacts(
            notice.n, notice.doc, code, title, notice.event, who, lines,
            str(notice.before), str(notice.after), notice.at_ms,
        )  # fmt: skip


def whole_address(text: str) -> str:
    """Returns an address as people type it; who leaves out ``https://`` means it."""
    typed = text.strip()
    return typed if "://" in typed or not typed else f"https://{typed}"


def check_addresses(addresses: Sequence[str]) -> None:
    """Refuses what is no address of a server.

    Raises:
        InvalidInput: One of them is not ``http://`` or ``https://`` with a host.
    """
    from urllib.parse import urlsplit

    for address in addresses:
        try:
            parts = urlsplit(address)
            is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_good = False
        if not is_good:
            raise InvalidInput(
                f"{address!r} is not the address of a server.", reason="address", address=address
            )


def _tried(parent: ParentFacts) -> int:
    return parent.tried_ms


def _result(report: WireReport) -> SyncResult:
    return SyncResult(
        parent=report.parent,
        sent=report.sent,
        acked=report.acked,
        received=report.received,
        chunks_up=report.chunks_up,
        chunks_down=report.chunks_down,
        round_trips=report.round_trips,
        bytes_up=report.wire_up,
        bytes_down=report.wire_down,
        is_complete=report.is_complete,
        was_rolled_back=report.was_rolled_back,
        refused=tuple((o.id, o.code, o.reason) for o in report.outcomes),
        rejected=tuple((o.id, o.code, o.reason) for o in report.rejected),
    )


def _bundle(report: BundleReport) -> BundleFacts:
    return BundleFacts(
        path=str(report.path),
        size_bytes=report.size_bytes,
        number=report.number,
        sender=report.sender,
        recipients=report.recipients,
        events=report.events,
        chunks=report.chunks,
        left_out=report.left_out,
        parts=tuple(str(path) for path in report.parts),
        stored=report.stored,
        acks=report.acks,
        has_more=report.has_more,
        was_rolled_back=report.was_rolled_back,
        refused=tuple((o.id, o.code, o.reason) for o in report.outcomes),
        rejected=tuple((o.id, o.code, o.reason) for o in report.rejected),
    )


def check_proof(path: Path) -> CheckedProof:
    """Checks a proof that somebody wrote; needs no store.

    Raises:
        FormatError: It is none, or does not hold.
    """
    from onestop_sync import proofs
    from onestop_sync.keys import fingerprint

    with path.open("rb") as file:
        report = proofs.check(file.read(proofs.MAX_BYTES + 1))
    cases = tuple((case.kind, case.signer, case.unit, case.is_proven) for case in report.cases)
    return CheckedProof(fingerprint(report.root), cases)
