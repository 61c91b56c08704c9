"""Runs the program as ``python -m tui_mailer``."""

import sys

from tui_mailer.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
