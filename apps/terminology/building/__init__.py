"""Builds the bundled data files from the public sources that data/README.md names."""
