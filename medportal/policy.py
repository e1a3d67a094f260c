"""The Content-Security-Policy: what pages may load and run, and where forms may be sent."""

from __future__ import annotations

from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF, STRICT_DYNAMIC


def content_security_policy(sign_in: str, *, dev_server: str = "") -> dict[str, object]:
    """Build the policy of all pages.

    Args:
        sign_in: URL of the single sign-on provider, or empty.
        dev_server: URL of Vite's development server, or empty. Its styles are inline elements with the
            page's nonce, everything else comes from its origin, and updates by WebSocket.
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
        # Scripts need the response's nonce; what they load themselves is trusted too. 'self' is for
        # browsers that do not know 'strict-dynamic'.
        "script-src": [SELF, NONCE, STRICT_DYNAMIC, "'wasm-unsafe-eval'"],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        # Also applied by browsers to redirects after a form: single sign-on redirects to the provider.
        "form-action": [SELF, *_origins(sign_in)],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
        "report-uri": ["/csp-report/"],
    }


def _origins(address: str) -> list[str]:
    """Return the origin of a URL as a list; empty for an empty URL."""
    parts = urlsplit(address)
    return [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []
