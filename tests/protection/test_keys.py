"""Data keys: sealing, rotation, re-encryption, a KMS; nothing is lost and nothing opens in another place."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import CareTeam
from apps.imaging.models import Instance, Study
from apps.imaging.queries import frame_bytes
from apps.patients.models import Patient, SearchToken
from apps.patients.queries import found_by
from apps.protection import keyring, keys, reencryption, rotation
from apps.protection.models import DataKey
from apps.protection.records import rows, sealed_fields, sealed_models
from tests.factories import film_file, take_in


@given(st.binary(max_size=4096), st.text(max_size=50))
def test_what_is_sealed_opens_in_its_place_only(plaintext: bytes, place: str) -> None:
    sealed = keys.seal("holder", plaintext, place)
    assert keys.open_sealed("holder", sealed, place) == plaintext
    assert keys.seal("holder", plaintext, place) != sealed
    with pytest.raises(keys.CannotOpen, match="moved"):
        keys.open_sealed("holder", sealed, place + "x")


def test_a_changed_ciphertext_does_not_open() -> None:
    sealed = bytearray(keys.seal("holder", b"secret", "p"))
    sealed[-1] ^= 1
    with pytest.raises(keys.CannotOpen):
        keys.open_sealed("holder", bytes(sealed), "p")


def test_another_holders_key_is_named_not_used() -> None:
    sealed = keys.seal("one", b"secret", "p")
    keys.seal("two", b"x", "p")
    with pytest.raises(keys.CannotOpen, match=str(keys.key_id_of(sealed))):
        keys.open_sealed("two", sealed, "p")


def test_a_lost_master_key_is_named(settings) -> None:  # type: ignore[no-untyped-def]
    sealed = keys.seal("holder", b"secret", "p")
    master = keyring.keyring().master_id
    keys.forget()
    settings.KEYRING = keyring.create()
    with pytest.raises(keys.CannotOpen, match=str(master)):
        keys.open_sealed("holder", sealed, "p")


def test_a_destroyed_key_never_comes_back() -> None:
    sealed = keys.seal("holder", b"secret", "p")
    keys.destroy("holder")
    for attempt in (lambda: keys.open_sealed("holder", sealed, "p"), lambda: keys.seal("holder", b"new", "p")):
        with pytest.raises(keys.KeyDestroyed):
            attempt()
    assert not bytes(DataKey.objects.get(pk="holder").keyset)


@pytest.fixture
def own_file(tmp_path: Path, settings) -> Iterator[Path]:  # type: ignore[no-untyped-def]
    settings.KEYRING_FILE = tmp_path / "ring.json"
    keyring.write(settings.KEYRING_FILE, keyring.create())
    keyring._from_file.cache_clear()
    yield settings.KEYRING_FILE
    keyring._from_file.cache_clear()


def test_the_master_key_rotates_and_retires(own_file: Path) -> None:
    sealed = keys.seal("holder", b"secret", "p")
    backup = bytes(DataKey.objects.get(pk="holder").keyset)
    old = keyring.keyring().master_id
    new = rotation.rotate_master(wait=False)
    assert new != old and DataKey.objects.get(pk="holder").master_id == new
    assert keys.open_sealed("holder", sealed, "p") == b"secret"
    DataKey.objects.filter(pk="holder").update(master_id=old)
    with pytest.raises(rotation.KeyInUse):
        rotation.retire_master(wait=False)
    DataKey.objects.filter(pk="holder").update(master_id=new)
    rotation.retire_master(wait=False)
    assert keys.open_sealed("holder", sealed, "p") == b"secret"
    assert own_file.stat().st_mode & 0o777 == 0o600
    DataKey.objects.filter(pk="holder").update(keyset=backup, master_id=old)
    keys.forget()
    with pytest.raises(keys.CannotOpen, match=str(old)):
        keys.open_sealed("holder", sealed, "p")


def test_the_index_key_rotates_and_search_goes_on(own_file: Path, team: CareTeam) -> None:
    instance = take_in(film_file(), team).instance
    assert instance
    before = set(SearchToken.objects.values_list("token", flat=True))
    seen = []
    rotation.rotate_index(progress=lambda *step: seen.append(found_by("Lind").count()), wait=False)
    assert seen and set(seen) == {1}
    assert not before & set(SearchToken.objects.values_list("token", flat=True))
    for text in ("MRN-1", "lindq", '"åsa"'):
        assert found_by(text).count() == 1
    assert take_in(film_file(9), team).instance
    assert Patient.objects.count() == 1


def ids_in_use() -> set[int | None]:
    """The key ids of every sealed value in the database."""
    return {
        keys.key_id_of(bytes(row.__dict__[field.attname]))
        for model in sealed_models()
        for row in rows(model)
        for field in sealed_fields(model)
        if row.__dict__[field.attname] is not None
    }


def test_everything_moves_to_new_data_keys(team: CareTeam, settings) -> None:  # type: ignore[no-untyped-def]
    settings.REENCRYPT_GRACE_SECONDS = 0
    instance = take_in(film_file(), team).instance
    assert instance
    frame, before = frame_bytes(instance, 1), ids_in_use()
    run = reencryption.reencrypt(wait=False)
    assert run.finished_at and run.rows and run.blobs == 1
    assert not before & ids_in_use()
    assert frame_bytes(Instance.objects.get(), 1) == frame
    assert Study.objects.get().headers["accession_number"] == "A1"
    assert Patient.objects.get().name == "Lindqvist^Åsa"


def test_a_killed_reencryption_goes_on_and_loses_nothing(team: CareTeam, settings) -> None:  # type: ignore[no-untyped-def]
    settings.REENCRYPT_GRACE_SECONDS = 0
    for seed in (1, 2):
        take_in(film_file(seed, mrn=f"M-{seed}"), team)

    class Killed(Exception):
        pass

    steps = iter(range(6))

    def dies(*step: object) -> None:
        if next(steps) == 4:
            raise Killed

    with pytest.raises(Killed):
        reencryption.reencrypt(progress=dies, wait=False)
    assert {patient.name for patient in Patient.objects.all()} == {"Lindqvist^Åsa"}
    assert take_in(film_file(3, mrn="M-3"), team).instance
    assert reencryption.reencrypt(wait=False).finished_at
    assert all(frame_bytes(instance, 1) for instance in Instance.objects.all())
    assert Patient.objects.count() == 3 and {patient.name for patient in Patient.objects.all()} == {"Lindqvist^Åsa"}


def test_older_keys_stay_for_uploads_under_way(team: CareTeam) -> None:
    take_in(film_file(), team)
    late = keys.seal(Patient.objects.get().key_holder, b"a long upload", "p")
    run = reencryption.reencrypt(wait=False)
    assert run.moved_at and not run.finished_at
    assert keys.open_sealed(Patient.objects.get().key_holder, late, "p") == b"a long upload"


class Transit(BaseHTTPRequestHandler):
    """A stand-in for Vault's transit engine: it 'encrypts' by remembering."""

    kept: dict[str, str] = {}

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("X-Vault-Token") != "right":
            self.send_error(403)
            return
        if self.path.endswith("/encrypt/medportal"):
            name = f"vault:v1:{len(self.kept)}"
            self.kept[name] = body["plaintext"]
            data = {"ciphertext": name}
        else:
            data = {"plaintext": self.kept[body["ciphertext"]]}
        answer = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_PUT  # noqa: N815

    def log_message(self, *args: object) -> None:
        """Quiet."""


def test_a_key_management_service_seals_the_keyring(settings, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Transit)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("VAULT_TOKEN", "right")
    settings.KMS = f"hcvault+http://127.0.0.1:{server.server_port}/transit/keys/medportal"
    content = keyring.create()
    assert "sealed" in json.loads(content) and "master" not in json.loads(content)
    assert base64.b64decode(json.loads(content)["sealed"]).startswith(b"vault:v1:")
    settings.KEYRING = content
    sealed = keys.seal("kms-holder", b"secret", "p")
    keys.forget()
    assert keys.open_sealed("kms-holder", sealed, "p") == b"secret"
    keyring._open.cache_clear()
    monkeypatch.setenv("VAULT_TOKEN", "wrong")
    with pytest.raises(ImproperlyConfigured, match="does not open the keyring"):
        keyring.keyring()
    server.shutdown()
