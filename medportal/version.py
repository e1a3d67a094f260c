"""The version, read by the wheel, the page footer, the API description and ``manage.py version``."""

__version__ = "0.2.0"
