"""The screens of the commune's client, one file each; `run` opens them on a store.

from commune_client.screens import run

code = run(folder, officer="An")
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["run"]


def run(store_folder: Path, officer: str | None = None) -> int:
    """Opens the screen on a store, and returns when the official leaves.

    Args:
        store_folder: The machine's folder.
        officer: Whose passphrase to ask for; ``None`` to choose on the screen.

    Returns:
        0 after an ordinary end, 1 when the program broke off.
    """
    from commune_client.app import OnestopApp
    from commune_client.desk.place import Place

    app = OnestopApp(Place(store_folder), officer or "")
    try:
        code = app.run()
    finally:
        app.finish()
    return 1 if code is None else code
