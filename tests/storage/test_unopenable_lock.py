"""A lock file that can't be opened is the data directory's trouble."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_mailer.domain.errors import StorageError
from tui_mailer.storage.store import Store


def test_a_lock_that_cant_be_opened_is_told_as_such(data_dir: Path) -> None:
    """ "Can't write the data directory" has an exit code of its own, and nothing was stored."""
    (data_dir / "locks" / "store.lock").mkdir(parents=True)
    data_dir.chmod(0o700)
    with pytest.raises(StorageError, match=r"store\.lock can't be written: .*Nothing was stored"):
        Store.open(data_dir)
