"""Start-up without garbage collection: what is loaded then stays, and need not be looked through again and again."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Generator[None]:
    """Collects no garbage from here on, until `settle` or the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle() -> None:
    """Collects garbage again; what has come into being so far is never looked through any more."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
