"""The tests themselves: each asserts something, and the floors know every app."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

TESTS = Path(__file__).resolve().parents[1]
EXPECTING = {"raises", "fail", "wait_for", "wait_for_selector", "check"}
"""Calls that fail where what they name is not so; the last three belong to journeys."""


def _expects(function: ast.AST, helpers: set[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in EXPECTING or name in helpers:
                return True
    return False


def test_every_test_asserts_something() -> None:
    """Itself or through a function of the tests that it calls."""
    trees = {path: ast.parse(path.read_text()) for path in TESTS.rglob("*.py")}
    functions = [
        (path, node) for path, tree in trees.items() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    ]
    helpers: set[str] = set()
    while new := {
        node.name
        for _, node in functions
        if not node.name.startswith("test_") and node.name not in helpers and _expects(node, helpers)
    }:
        helpers |= new
    idle = [
        f"{path.name}:{node.lineno} {node.name}"
        for path, node in functions
        if node.name.startswith("test_") and not _expects(node, helpers)
    ]
    assert len(functions) > 500 and not idle


@cache
def floors() -> dict[str, int]:
    """The floor of each app, from the contract in pyproject.toml; the lowest is 0."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract.get("containers") == ["apps"]]
    rows = enumerate(reversed(layers))
    return {name.strip(): floor for floor, row in rows for name in row.replace(":", "|").split("|")}


def test_the_floors_know_every_app() -> None:
    installed = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    folders = {path.parent.name for path in (settings.BASE_DIR / "apps").glob("*/__init__.py")}
    kernels = {folder for folder in folders if not (settings.BASE_DIR / "apps" / folder / "apps.py").exists()}
    assert set(floors()) == folders == installed | kernels
    assert kernels == {"synthetic"}, "without tables: not in INSTALLED_APPS"


def test_migrations_depend_only_on_floors_below() -> None:
    """import-linter does not see foreign keys, which are written as strings."""
    graph = MigrationLoader(None).graph
    edges = [(node.key[0], parent.key[0]) for node in graph.node_map.values() for parent in node.parents]
    ours = {(child, parent) for child, parent in edges if child in floors() and parent in floors() and child != parent}
    assert ours
    assert not {(child, parent) for child, parent in ours if floors()[child] <= floors()[parent]}
