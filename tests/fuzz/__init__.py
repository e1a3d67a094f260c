"""Fuzzing of what a stranger can send: ``make fuzz``. Cases that once escaped are kept in ``found/`` and tested."""
