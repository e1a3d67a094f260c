"""Words for places: on the learned references and on a drawn film whose lungs are known."""

from __future__ import annotations

import numpy as np
import pytest
from django.conf import settings

from apps.explainability.explainers.image.anatomy import LUNG_ZONES, ZONES, by_zone, zones
from apps.explainability.explainers.image.baselines import EDGE
from apps.explainability.explainers.image.explainable import explainable
from apps.inference.package_reader import read_package
from apps.synthetic.radiograph import draw_film


@pytest.fixture(scope="module")
def film():  # type: ignore[no-untyped-def]
    return explainable(read_package(settings.BASE_DIR / "apps/inference/bundled/cxr-pneumonia/1.1.1"))


def test_every_reference_has_two_lungs_in_three_zones(film) -> None:  # type: ignore[no-untyped-def]
    for thumbnail in film.references.thumbnails:
        found = zones(thumbnail)
        assert found.shape == (EDGE, EDGE)
        middle = {zone: np.argwhere(found == ZONES.index(zone)).mean(axis=0) for zone in LUNG_ZONES}
        for side in ("right", "left"):
            rows = [middle[f"{side}_{third}"][0] for third in ("upper", "middle", "lower")]
            assert rows == sorted(rows), "upper above middle above lower"
        assert middle["right_middle"][1] < EDGE / 2 < middle["left_middle"][1], "the patient's right is on the left"
        assert (found[:, 0] == ZONES.index("outside")).mean() > 0.4
        lungs = np.isin(found, [ZONES.index(zone) for zone in LUNG_ZONES]).mean()
        assert 0.15 < lungs < 0.5


@pytest.mark.parametrize("seed", [3_100_001, 3_100_004, 3_100_007, 3_100_010, 3_100_013, 3_100_016])
def test_a_drawn_opacity_lies_in_the_lung_of_its_side(film, seed: int) -> None:  # type: ignore[no-untyped-def]
    picture = draw_film(seed, pattern="focal", size=EDGE * 8)
    plane = film.model.prepare(picture.pixels)
    where = zones(film.references.thumbnails[film.references.of(plane)])
    tiles = picture.opacity.reshape(EDGE, 8, EDGE, 8).mean(axis=(1, 3))
    shares = dict(zip(ZONES, by_zone(tiles.reshape(-1), where) / tiles.sum(), strict=True))
    column = np.argwhere(picture.opacity).mean(axis=0)[1]
    side = "right" if column < picture.opacity.shape[1] / 2 else "left"
    assert sum(share for zone, share in shares.items() if zone.startswith(side)) > 0.6, shares


def test_a_picture_without_lungs_has_no_zones_of_lungs() -> None:
    found = zones(np.full(EDGE * EDGE, 128.0))
    assert not np.isin(found, [ZONES.index(zone) for zone in LUNG_ZONES]).any()
