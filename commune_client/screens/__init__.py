"""The screens of the commune's client, one file each; `run` opens them on a store.

from commune_client.screens import run

code = run(folder, officer="An")
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

__all__ = ["run"]


def run(store_folder: Path, officer: str | None = None) -> int:
    """Opens the screen on a store, and returns when the official leaves.

    Until the first paint, after which `OfficeApp.warm_up` turns it on again, no garbage is looked for: a
    start makes next to none, and looking through all that it makes and keeps takes a tenth of its time.

    Args:
        store_folder: The machine's folder.
        officer: Whose passphrase to ask for; ``None`` to choose on the screen.

    Returns:
        0 after an ordinary end, 1 when the program broke off.
    """
    gc.disable()
    try:
        code = _run(store_folder, officer or "")
    finally:
        gc.enable()
    return 1 if code is None else code


def _run(store_folder: Path, officer: str) -> int | None:
    from commune_client.app import OnestopApp
    from commune_client.desk.place import Place

    app = OnestopApp(Place(store_folder), officer)
    try:
        return app.run()
    finally:
        app.finish()
        if app.last_words:  # as one line: a path that is broken in two cannot be copied
            print(app.last_words, file=sys.stderr)
