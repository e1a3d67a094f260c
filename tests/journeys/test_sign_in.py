"""Second factors, passkeys, single sign-on, sessions and tokens, in a browser."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tests.journeys.conftest import Visitor

pytestmark = pytest.mark.needs("chromium")


def code_of(secret: str, seconds_left: float = 5) -> str:
    """What an authenticator app shows (RFC 6238), as soon as it is good for so many seconds."""
    while 30 - time.time() % 30 < seconds_left:
        time.sleep(0.2)
    app = TOTP(base64.b32decode(secret), 6, SHA1(), 30, enforce_key_length=False)
    return app.generate(time.time()).decode()


def test_a_role_that_needs_a_second_factor_sets_up_an_app(visit: Any) -> None:
    nurse = visit(viewport={"width": 390, "height": 844}).sign_in("nurse")
    page = nurse.page
    assert "Your role requires a second factor" in page.inner_text("main")
    nurse.go("/worklist/")
    assert "/accounts/2fa/" in page.url
    nurse.check("factors-phone")

    page.click("a[href*='totp/activate']")
    nurse.check("confirm-phone")
    nurse.confirm()
    secret = page.input_value("#authenticator_secret")
    page.fill("#id_code", "000000")
    page.click("main button[type=submit]")
    page.wait_for_selector("text=Incorrect code")
    secret = page.input_value("#authenticator_secret")
    nurse.check("totp-phone")
    page.fill("#id_code", code_of(secret))
    page.click("main button[type=submit]")
    page.wait_for_selector("#recovery_codes")
    recovery = page.input_value("#recovery_codes").split()
    assert len(recovery) == 10
    nurse.check("recovery-codes-phone")
    page.check("#codes_saved")
    nurse.go("/worklist/")
    assert "/worklist/" in page.url

    nurse.sign_out()
    nurse.give_password("nurse")
    page.wait_for_selector("#id_code")
    nurse.check("second-factor-phone")
    nurse.go("/worklist/")
    assert page.locator("#id_code").is_visible(), "the password alone opens nothing"
    app_code = code_of(secret, seconds_left=20)
    for code, opens in ((recovery[0], True), (recovery[0], False), (app_code, True), (app_code, False)):
        nurse.context.clear_cookies()
        nurse.give_password("nurse")
        page.fill("#id_code", code)
        page.click("main button:has-text('Sign In')")
        page.wait_for_selector("#rows" if opens else "text=Incorrect code")


def add_authenticator(visitor: Visitor) -> None:
    """A fingerprint reader, as far as Chromium can tell."""
    devtools = visitor.context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_signs_in_alone(visit: Any) -> None:
    """Passkeys belong to a host name, never to an IP address (WebAuthn, section 5.1.2)."""
    visitor = visit()
    visitor.home = visitor.home.replace("127.0.0.1", "localhost")
    add_authenticator(visitor)
    page = visitor.sign_in("doctor2").page
    visitor.go("/accounts/2fa/webauthn/add/")
    visitor.confirm()
    page.fill("#id_name", "Fingerprint")
    page.check("#id_passwordless")
    visitor.check("passkey-new")
    page.click("#mfa_webauthn_add")
    page.wait_for_selector("#recovery_codes")
    visitor.go("/accounts/2fa/")
    visitor.check("factors")
    visitor.sign_out()
    page.click("#passkey_login")
    page.wait_for_selector("#rows")
    visitor.sign_out()
    visitor.give_password("doctor2")
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_selector("#rows")
    visitor.go("/accounts/2fa/webauthn/")
    visitor.send("a[href*=remove]")
    visitor.confirm()
    visitor.check("passkey-remove")
    visitor.send("main button[type=submit]")
    visitor.sign_out()
    visitor.sign_in("doctor2")


def test_single_sign_on_opens_only_accounts_of_the_hospital(visit: Any) -> None:
    visitor = visit()
    page = visitor.page
    visitor.go("/accounts/login/")
    visitor.check("sign-in")
    visitor.send("button:has-text('Single sign-on')")
    visitor.send("button:has-text('radiologist')")
    page.wait_for_selector("#rows")
    assert "Radiologist" in page.inner_text("header")
    visitor.go("/accounts/sso/")
    visitor.check("single-sign-on")
    visitor.sign_out()
    visitor.send("button:has-text('Single sign-on')")
    visitor.send("button:has-text('somebody')")
    page.wait_for_url(f"{visitor.home}/**")
    assert page.locator("header form[action*=logout]").count() == 0
    visitor.check("single-sign-on-refused")


def test_sessions_are_listed_and_ended_and_a_token_is_shown_once(visit: Any) -> None:
    first, second = visit().sign_in("researcher"), visit().sign_in("researcher")
    first.go("/accounts/sessions/")
    assert first.page.locator("main tbody tr").count() >= 2
    first.check("sessions")
    first.send("main form button[type=submit]")
    assert first.page.locator("main tbody tr").count() == 1
    second.go("/imaging/exports/")
    assert "/login/" in second.page.url

    doctor = visit().sign_in("doctor", again=True)
    page = doctor.page
    doctor.go("/accounts/tokens/")
    page.fill("#id_name", "Reading room")
    page.check("input[name=scopes] >> nth=0")
    page.click("button:has-text('Create token')")
    token = page.inner_text("[role=status] code")
    doctor.check("token-made")
    doctor.go("/accounts/tokens/")
    assert token not in page.content()
    doctor.check("tokens")
    headers = {"Authorization": f"Token {token}"}
    api = visit().context.request
    assert api.get(f"{doctor.home}/api/v1/studies/", headers=headers).status == 200
    page.click("button:has-text('Revoke')")
    page.wait_for_selector("text=has been revoked")
    assert api.get(f"{doctor.home}/api/v1/studies/", headers=headers).status == 401
