"""The images and the composition keep what the documents promise; they are not built here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "docker"
DEVELOPMENT = {"pytest", "playwright", "ruff", "mypy", "atheris", "schemathesis", "pip-audit", "pip-licenses", "honcho"}
MODELS = {"torch", "torchvision", "transformers", "shap", "scikit-learn"}


def _locked(name: str) -> dict[str, str]:
    """Versions by package; every package must have a hash."""
    text = (FOLDER / name).read_text()
    packages = dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", text, re.MULTILINE))
    assert len(re.findall(r"^[a-z0-9-]+.*\n    --hash=", text, re.MULTILINE)) == len(packages) > 0
    return packages


def test_each_image_has_what_it_needs_and_no_development_tool() -> None:
    web, cuda, cpu = _locked("web.lock"), _locked("worker.lock"), _locked("worker-cpu.lock")
    assert not web.keys() & MODELS and not [name for name in web if name.startswith(("nvidia", "cuda"))]
    assert cuda.keys() >= MODELS and web.keys() <= cuda.keys()
    assert cuda.keys() - cpu.keys() == {
        name for name in cuda if name.startswith(("nvidia-", "cuda-")) or name in {"torch", "torchvision", "triton"}
    }
    for packages in (web, cuda, cpu):
        assert not packages.keys() & DEVELOPMENT


def test_the_locks_agree_and_the_dockerfile_names_the_same_torch() -> None:
    full = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (FOLDER.parent / "requirements.lock").read_text(), re.MULTILINE))
    for name in ("web.lock", "worker.lock", "worker-cpu.lock", "build.lock"):
        assert _locked(name).items() <= full.items(), name
    dockerfile = (FOLDER / "Dockerfile").read_text()
    assert f"torch=={full['torch']} torchvision=={full['torchvision']}" in dockerfile


def test_every_image_runs_as_nobody_special_and_says_how_it_is() -> None:
    stages = re.split(r"^FROM ", (FOLDER / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    by_name = {stage.splitlines()[0].split(" AS ")[1]: stage for stage in stages}
    for name in ("web", "worker-cpu", "worker-cuda"):
        assert by_name[name].startswith("runtime AS ") and "USER medportal" in by_name[name]
        assert "HEALTHCHECK" in by_name[name]
    assert "LICENSE" in by_name["runtime"] and "libpango-1.0-0" in by_name["runtime"]


def test_the_composition_prepares_first_and_trusts_its_proxy() -> None:
    services: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    for name in ("web", "worker", "clock"):
        assert services[name]["depends_on"] == {"prepare": {"condition": "service_completed_successfully"}}
        assert services[name]["environment"]["MEDPORTAL_PROXIES"] == "${MEDPORTAL_PROXIES:-1}"
        assert services[name]["read_only"] is True
    assert services["prepare"]["command"] == "python manage.py prepare"
    for name in ("database", "redis"):
        assert services[name]["healthcheck"]["test"]
        assert services["prepare"]["depends_on"][name] == {"condition": "service_healthy"}
    assert "ports" not in services["web"], "only the proxy is reached from outside"
