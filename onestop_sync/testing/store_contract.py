"""What every database under a store must do: subclass, say where the databases are, and run with pytest.

    class TestMine(StoreContract):
        @pytest.fixture(autouse=True)
        def _begin(self, tmp_path, request):
            self.begin(tmp_path, lambda name: f"mine://{name}")
            request.addfinalizer(self.end)

`FileContract` adds what holds for a database that is one file: copies, damage, and a disk that is full.
"""

from __future__ import annotations

from onestop_sync.testing.contract_arrival import Arrival
from onestop_sync.testing.contract_attachments import Attachments
from onestop_sync.testing.contract_files import FileContract
from onestop_sync.testing.contract_lists import Lists
from onestop_sync.testing.contract_merging import Merging
from onestop_sync.testing.contract_programs import Programs
from onestop_sync.testing.contract_writing import Writing

__all__ = ["FileContract", "StoreContract"]


class StoreContract(Writing, Merging, Arrival, Programs, Lists, Attachments):
    """What holds on every database."""
