"""Runs the command line with ``python -m tenancykit``."""

import sys

from tenancykit.cli import main

if __name__ == "__main__":
    sys.exit(main())
