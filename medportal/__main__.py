"""The command line: ``python -m medportal``, ``medportal`` of the wheel, and ``manage.py`` of the sources."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run a management command; ``version`` prints the version of MedPortal."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medportal.settings")
    if sys.argv[1:] in (["version"], ["--version"]):
        from medportal.version import __version__

        print(__version__)
        return
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
