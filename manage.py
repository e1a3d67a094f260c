#!/usr/bin/env python
"""Django's command line for MedPortal."""

from medportal.__main__ import main

if __name__ == "__main__":
    main()
