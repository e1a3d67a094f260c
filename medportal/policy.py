"""The Content-Security-Policy: what a page may load and run, and where its forms lead."""

from __future__ import annotations

from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF, STRICT_DYNAMIC


def content_security_policy(sign_in: str, *, dev_server: str = "") -> dict[str, object]:
    """The policy of every page.

    Args:
        sign_in: address of the provider of single sign-on, or empty.
        dev_server: address of Vite's server on a developer's machine, or empty. Its styles come as elements with the
            page's nonce, everything else from its origin, and its news by a web socket.
    """
    policy = _policy(sign_in)
    if dev_server:
        for directive in ("script-src", "style-src", "img-src", "font-src", "connect-src", "worker-src"):
            policy[directive] += _origins(dev_server)
        policy["style-src"] += [NONCE]
        policy["connect-src"] += [origin.replace("http", "ws", 1) for origin in _origins(dev_server)]
    return {"DIRECTIVES": policy}


def _policy(sign_in: str) -> dict[str, list[object]]:
    return {
        "default-src": [NONE],
        # Scripts need the answer's nonce; what they load themselves is trusted with them. 'self' is for
        # browsers that do not know 'strict-dynamic'.
        "script-src": [SELF, NONCE, STRICT_DYNAMIC, "'wasm-unsafe-eval'"],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        # Browsers hold the redirect after a form against this too: that of single sign-on leads to the provider.
        "form-action": [SELF, *_origins(sign_in)],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
        "report-uri": ["/csp-report/"],
    }


def _origins(address: str) -> list[str]:
    """The origin of an address as a list, empty if there is none."""
    parts = urlsplit(address)
    return [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []
