"""The pictures show the app as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RENDER = Path(__file__).parents[2] / "screenshots" / "render.py"


def test_every_picture_is_the_app_of_today() -> None:
    """Each screen has the text and colours its picture was drawn with; if not: python screenshots/render.py."""
    done = subprocess.run(
        [sys.executable, str(RENDER), "--check"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    for text in RENDER.parent.glob("*.txt"):
        assert text.with_suffix(".png").exists()
        assert text.with_suffix(".svg").exists()
