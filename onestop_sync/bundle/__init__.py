"""The same frames on a stick: what a machine and its parents would have told each other over a line.

    report = export_bundle(store, folder)                      # a machine without a line: what goes up
    report = import_bundle(parent, stick)                      # at a parent, or at another PC of the unit
    export_bundle(parent, folder, recipients=[report.sender])  # what goes back: acks, decisions
    import_bundle(store, stick)

Going up are the frames that the parents have not acknowledged. Going down is a section for one machine: its
unit's feed from the cursor that its last bundle named, and our acks. A machine of the same unit gets what it
has not (its last bundle said what it has) and the acks that are here, so that any PC can be the courier.

Every bundle repeats what was not confirmed, so a lost stick loses nothing, an old one brings nothing, and
any mix of sticks and lines ends in the same state.
"""

from __future__ import annotations

from onestop_sync.bundle.incoming import import_bundle
from onestop_sync.bundle.outgoing import export_bundle, owed
from onestop_sync.bundle.packet import BundleReport

__all__ = ["BundleReport", "export_bundle", "import_bundle", "owed"]
