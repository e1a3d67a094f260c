"""Fixtures that every test may use."""

from __future__ import annotations

import contextlib
import gc
import os

# Test processes with as many spinning threads as cores would starve each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# shap's loops run as Python here: compiling them takes longer than they do. The journeys' workers compile them.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.test.utils import teardown_databases
from django.utils import timezone, translation
from pytest_django.plugin import DjangoDbBlocker
from rest_framework.test import APIClient
from xdist.scheduler import LoadScopeScheduling

from apps.accounts.models import CareTeam, Role, User
from apps.cases import services
from apps.explainability.evaluation_budget import EVALUATIONS
from apps.explainability.models import Method
from apps.imaging.models import Study
from apps.inference import installed_packages
from apps.patients.models import Patient
from apps.patients.portal_account import link_account
from apps.protection import keyring, keys
from apps.records.models import Case
from tests import binaries, databases
from tests.factories import ACTOR, UserFactory, film_file, take_in

CLIENTS = "tests/journeys/clients"
"""Tests that one process makes, since they share a server."""
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put journeys first, and skip what needs a program that this machine lacks; in CI nothing may be missing."""
    items.sort(key=lambda item: "journeys" not in item.nodeid)
    for item in items:
        if "journeys" in item.nodeid:  # those talk to processes of their own; Playwright's loop forbids the ORM
            item.add_marker(pytest.mark.timeout(600))  # real models on a machine that may be busy
        else:  # patient data need their keys, which lie in a database of their own
            given = item.get_closest_marker("django_db")
            options = {**(given.kwargs if given else {}), "databases": "__all__"}
            item.add_marker(pytest.mark.django_db(**options), append=False)
        for marker in item.iter_markers("needs"):
            missing = [name for name in marker.args if binaries.find(name) is None]
            if missing and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(missing)}"))


def pytest_collection_finish() -> None:
    """Let the garbage collector forget what was imported: going through a million objects again takes 12 % of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


class JourneysFirst(LoadScopeScheduling):
    """Tests are handed out one by one, in their order: journeys first.

    So each process makes its journeys in one stretch, with one site and one browser, and ends them before it goes on:
    Playwright's loop forbids the ORM. In place of ``--dist load``, which hands out the whole end of the list at once.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return CLIENTS if nodeid.startswith(CLIENTS) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> JourneysFirst:
    return JourneysFirst(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """A process for each core; each loads the models, which takes 2 GB."""
    return min(os.cpu_count() or 1, 8)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*programs): programs from the system that the test starts")


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """In place of pytest-django's: copies of a migrated template instead of migrations in each process."""
    cache = request.config.cache
    assert cache is not None
    with django_db_blocker.unblock():
        configuration = databases.create(cache.mkdir("databases"))
    yield
    with django_db_blocker.unblock():
        teardown_databases(configuration, verbosity=0)


@pytest.fixture(scope="session")
def database_templates(pytestconfig: pytest.Config, django_db_setup: None) -> Path:
    """Folder of the migrated templates, for ``databases.copy_files``: migrating takes ten seconds of a core."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("databases")


@pytest.fixture(scope="session", autouse=True)
def key_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A keyring of the test run's own."""
    with contextlib.suppress(FileExistsError):  # another test process may be quicker
        keyring.write(settings.KEYRING_FILE, keyring.create())


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A page in Chinese leaves its language active in the thread."""
    translation.activate("en")
    yield


@pytest.fixture(autouse=True)
def no_keys_from_other_tests() -> Iterator[None]:
    """Opened data keys outlive the rolled-back rows that held them."""
    keys.forget()
    yield
    keys.forget()


@pytest.fixture(autouse=True)
def sealed_store(tmp_path: Path, settings: object) -> Path:
    """Each test has a blob store of its own."""
    from django.core.files.storage import storages

    folder = tmp_path / "sealed"
    settings.STORAGES["sealed"]["OPTIONS"]["location"] = folder  # type: ignore[attr-defined]
    storages._storages.pop("sealed", None)
    storages.__dict__.pop("backends", None)
    return folder


@pytest.fixture(autouse=True)
def few_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the time that explanations take in life: few tests measure how good they become."""
    for method, evaluations in ((Method.SAMPLED, 128), (Method.PARTITION, 64), (Method.GRADIENT, 64)):
        monkeypatch.setitem(EVALUATIONS, method, evaluations)


@pytest.fixture
def team(db: None) -> CareTeam:
    return CareTeam.objects.create(name="Team A")


@pytest.fixture
def doctor(team: CareTeam) -> User:
    return UserFactory(username="doctor", role=Role.DOCTOR, teams=[team])


@pytest.fixture
def stranger(db: None) -> User:
    """A doctor of another care team."""
    return UserFactory(username="doctor2", role=Role.DOCTOR, teams=[CareTeam.objects.create(name="Team B")])


@pytest.fixture
def patient_user(db: None) -> User:
    return UserFactory(username="patient", role=Role.PATIENT)


@pytest.fixture
def admin_user(db: None) -> User:
    return UserFactory(username="admin", role=Role.ADMIN)


@pytest.fixture
def radiologist(team: CareTeam) -> User:
    return UserFactory(username="radiologist", role=Role.RADIOLOGIST, teams=[team])


@pytest.fixture
def nurse(team: CareTeam) -> User:
    return UserFactory(username="nurse", role=Role.NURSE, teams=[team])


@pytest.fixture
def researcher(db: None) -> User:
    return UserFactory(username="researcher", role=Role.RESEARCHER)


@pytest.fixture
def auditor(db: None) -> User:
    return UserFactory(username="auditor", role=Role.AUDITOR)


@pytest.fixture
def browser_client(doctor: User) -> Client:
    """Django's test client, signed in as the doctor."""
    client = Client()
    client.force_login(doctor)
    return client


@pytest.fixture
def api(doctor: User) -> APIClient:
    """The REST client, signed in as the doctor."""
    client = APIClient()
    client.force_authenticate(doctor)
    return client


@pytest.fixture
def packages(db: None) -> None:
    """The bundled model packages, installed."""
    installed_packages.synchronise()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data beside the project; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/data")
    return SHARED


@pytest.fixture
def patient(team: CareTeam, patient_user: User) -> Patient:
    """A woman born in 1960, of the team, with one film of her childhood and a log-in."""
    received = take_in(film_file(3, birth_date=date(1960, 5, 4), study_date=date(1964, 3, 2)), team)
    assert received.instance is not None
    record = received.instance.series.study.patient
    link_account(record, patient_user, actor=ACTOR)
    return Patient.objects.get(pk=record.pk)


@pytest.fixture
def study(team: CareTeam) -> Study:
    """A study of a child whose date of birth is not known, not analysed."""
    received = take_in(film_file(3, pattern="focal", birth_date=None, age="004Y"), team)
    assert received.instance is not None
    return received.instance.series.study


@pytest.fixture
def case(study: Study, doctor: User) -> Case:
    """An open case of the team's patient, admitted 30 hours ago."""
    started = timezone.now() - timedelta(hours=30)
    return services.open_case(study.patient, title="Cough and fever", study=study, started_at=started, actor=doctor)


@pytest.fixture
def words_alone(settings: Any) -> None:
    """No transformer: sentences are compared by their words."""
    settings.SENTENCE_MODEL = "words"
