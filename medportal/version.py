"""The version, in one place: the wheel, the pages' foot, the API's description and ``manage.py version`` read it."""

__version__ = "0.2.0"
