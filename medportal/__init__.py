"""Settings and entry points of the site."""

__version__ = "0.2.0"
