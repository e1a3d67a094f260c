"""``make fuzz``: coverage-guided by atheris where it is installed; ``python -m tests.fuzz film 100000``.

An input that escapes is written to ``tests/fuzz/found/<target>-<digest>``, where the tests take it up.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def main(target: str, runs: int) -> None:
    """Run one target so many times.

    The libraries are instrumented before they are first imported: coverage of them guides the mutations.
    """
    import atheris

    with atheris.instrument_imports(include=["pydicom", "apps.imaging.dicom", "zipfile"]):
        django.setup()
        from tests.fuzz import targets

    targets.be_quiet()
    known: set[str] = set()
    called = {"inputs": 0, "escaped": 0}

    def one(content: bytes) -> None:
        called["inputs"] += 1
        try:
            targets.TARGETS[target](content)
        except BaseException as error:
            called["escaped"] += 1
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
            if place not in known:  # one case of each kind is enough to keep
                known.add(place)
                kept = targets.FOUND / f"{target}-{hashlib.sha256(content).hexdigest()[:12]}"
                kept.write_bytes(content)
                print(f"{kept.name}: {place}", flush=True)
        if called["inputs"] == runs:
            seconds = time.monotonic() - began
            print(f"{target}: {runs:,} inputs in {seconds:.0f} s, {called['escaped']} escaped", flush=True)

    corpus = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for number, content in enumerate(targets.seeds(target)):
        (corpus / f"seed-{number}").write_bytes(content)
    began = time.monotonic()
    limits = [f"-runs={runs}", "-max_len=65536", "-timeout=30", "-rss_limit_mb=4096", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={targets.FOUND}/{target}-", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
