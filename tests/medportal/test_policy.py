"""What pages may load: on a developer's machine also what Vite's server sends."""

from __future__ import annotations

from typing import Any

from csp.constants import NONCE, SELF

from medportal.policy import content_security_policy


def directives(**options: Any) -> dict[str, list[object]]:
    policy = content_security_policy("https://login.example/realms/hospital", **options)["DIRECTIVES"]
    assert isinstance(policy, dict)
    return policy


def test_forms_lead_only_here_and_to_single_sign_on() -> None:
    assert directives()["form-action"] == [SELF, "https://login.example"]


def test_styles_and_connections_are_our_own() -> None:
    assert directives()["style-src"] == directives()["connect-src"] == [SELF]


def test_vites_server_is_allowed_where_there_is_one() -> None:
    server = "http://127.0.0.1:5173"
    allowed = directives(dev_server=server)
    assert allowed["connect-src"] == [SELF, server, "ws://127.0.0.1:5173"]
    assert allowed["style-src"] == [SELF, server, NONCE]
    changed = {name for name, sources in allowed.items() if sources != directives()[name]}
    assert changed == {"script-src", "style-src", "img-src", "font-src", "connect-src", "worker-src"}
