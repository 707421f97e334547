"""The widgets import nothing heavy: the first screen is painted before the library is loaded."""

import subprocess
import sys

_HEAVY = {"sqlalchemy", "httpx", "cryptography", "cbor2", "nacl", "fpdf", "segno", "onestop_sync"}
_PROGRAM = """
import sys
import commune_client.theme
import commune_client.widgets.field_form
import commune_client.widgets.due_label
import commune_client.widgets.sync_status
print(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_light_imports() -> None:
    """A fresh interpreter that has loaded every widget has loaded no database, network or cryptography."""
    result = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert not _HEAVY & set(result.stdout.split())
