"""``python -m commune_client.cli`` is ``onestop``."""

from __future__ import annotations

import sys

from commune_client.cli.entry import main

sys.exit(main())
