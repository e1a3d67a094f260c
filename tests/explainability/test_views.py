"""The pages of explanations."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import CareTeam, User
from apps.explainability import cohort, jobs
from apps.explainability.drawing import charts
from apps.explainability.models import Comparison, Explanation
from apps.explainability.similar import nearest
from apps.inference.jobs import analyse
from apps.inference.models import Analysis, Verdict
from apps.inference.review import review
from tests.factories import arrive, browser_of, film_file


@pytest.fixture
def explanation(packages: None, team: CareTeam) -> Explanation:
    done = arrive(film_file(3, pattern="focal", size=448), team)
    analyse(str(done.pk))
    return Explanation.objects.get(finding__label="pneumonia")


def checked(explanation: Explanation) -> Explanation:
    jobs.explain(str(explanation.pk))
    explanation.refresh_from_db()
    return explanation


def test_the_page_says_how_far_it_is(explanation: Explanation, browser_client: Client) -> None:
    url = reverse("explainability:detail", args=[explanation.pk])
    early = browser_client.get(url).content.decode()
    assert "Preliminary estimate, not yet checked" in early and "Not measured yet" in early
    assert "Decision support" in early
    checked(explanation)
    page = browser_client.get(url).content.decode()
    assert "adds up" in page and "What would change the result" in page and "strongest revealed first" in page
    assert ("Weak explanation" not in page and "right lower zone" in page) or "lower zone" in page or "zone" in page
    state = browser_client.get(reverse("explainability:state", args=[explanation.pk])).content.decode()
    assert "hx-get" not in state, "nothing is asked for again once all is there"


def test_a_weak_explanation_is_marked_wherever_it_shows(explanation: Explanation, browser_client: Client) -> None:
    checked(explanation)
    Explanation.objects.filter(pk=explanation.pk).update(
        quality={**explanation.quality, "weaknesses": ["random", "gap"]}
    )
    page = browser_client.get(reverse("explainability:detail", args=[explanation.pk])).content.decode()
    assert "Weak explanation: do not rely on it" in page and "no more than hiding random ones" in page
    study = explanation.finding.analysis.series.study.study_instance_uid
    panel = browser_client.get(reverse("portal:findings", args=[study])).content.decode()
    assert "weak explanation" in panel and "do not add up" in panel


def test_another_method_is_asked_for_on_the_page(explanation: Explanation, browser_client: Client) -> None:
    url = reverse("explainability:ask", args=[explanation.finding_id])
    answer = browser_client.post(url, {"method": "gradient"})
    asked = Explanation.objects.get(method="gradient")
    assert answer["Location"] == reverse("explainability:detail", args=[asked.pk])
    assert "Waiting to start" in browser_client.get(answer["Location"]).content.decode()
    assert browser_client.post(url, {"method": "gradient"})["Location"] == answer["Location"]
    browser_client.post(url, {"method": "astrology"})
    assert Explanation.objects.filter(finding=explanation.finding_id).count() == 2


def other_film(team: CareTeam, seed: int, **description: str) -> Analysis:
    done = arrive(film_file(seed, pattern="focal", size=448, **description), team)
    analyse(str(done.pk))
    return done


def test_films_alike_with_their_verdicts(
    explanation: Explanation, team: CareTeam, doctor: User, radiologist: User, stranger: User
) -> None:
    assert nearest(doctor, explanation.finding) == []
    other = other_film(team, 4, mrn="MRN-2", name="Other^One").findings.get(label="pneumonia")
    assert nearest(doctor, explanation.finding) == [], "only what a doctor has judged"
    review(other, verdict=Verdict.AGREE, correction="", comment="", actor=doctor)
    found = nearest(doctor, explanation.finding)
    assert [one.finding for one in found] == [other] and found[0].confirmed
    assert 0.3 < found[0].likeness <= 1
    review(other, verdict=Verdict.DISAGREE, correction="", comment="", actor=radiologist)
    assert not nearest(doctor, explanation.finding)[0].confirmed
    assert nearest(stranger, explanation.finding) == []
    page = browser_of(doctor).get(reverse("explainability:detail", args=[explanation.pk])).content.decode()
    assert "One Other" in page and "not confirmed" in page


def test_average_maps_warn_of_short_cuts(explanation: Explanation, doctor: User, stranger: User) -> None:
    package = explanation.finding.analysis.package
    assert cohort.attention(doctor, package) == []
    checked(explanation)
    maps = cohort.attention(doctor, package)
    assert maps and all(one.films == 1 and one.outcome == "unreviewed" for one in maps)
    assert cohort.attention(stranger, package) == []
    for one in Explanation.objects.all():
        Explanation.objects.filter(pk=one.pk).update(zones=[{"zone": "outside", "value": 0.5, "log_odds": 1.0}])
    assert all(one.suspicious for one in cohort.attention(doctor, package))
    url = reverse("explainability:attention", args=[package.name, package.version])
    assert "check for a shortcut" in browser_of(doctor).get(url).content.decode()


def test_the_comparison_shows_the_makers_and_the_sites_figures(
    explanation: Explanation, browser_client: Client
) -> None:
    package = explanation.finding.analysis.package
    row = {
        "explainer": "stock",
        "advantage": 0.123,
        "insertion": 0.5,
        "deletion": 0.377,
        "evaluations": 500,
        "seconds": 1,
    }
    Comparison.objects.create(package=package, data="Our own films", films=7, rows=[row], how="by hand")
    url = reverse("explainability:comparison", args=[package.name, package.version])
    page = browser_client.get(url).content.decode()
    assert "Our own films" in page and "0.123" in page and "7 images" in page


def test_charts_hold_their_numbers() -> None:
    bars = charts.waterfall(0.2, [("a", 0.5), ("b", -0.1)], ("base", "end"))
    assert [bar.words for bar in bars] == ["base", "a", "b", "end"]
    assert bars[-1].value == pytest.approx(0.6) and bars[1].start == pytest.approx(100 * 0.2 / 0.7, abs=0.1)
    assert bars[2].css == "chart-against" and all(0 <= bar.start <= bar.start + bar.length <= 100.5 for bar in bars)
    assert charts.line([0, 1], height=60) == "0.00,60.00 100.00,0.00"
    pushed = charts.force(0.1, [("a", 0.3), ("b", -0.1)])
    assert sum(bar.length for bar in pushed) == pytest.approx(100, abs=0.1)
    dots = charts.beeswarm([0.1, 0.1, -0.2], [1, 2, 3], reach=0.2)
    assert len({(dot.x, dot.y) for dot in dots}) == 3
    assert all(0 <= dot.x <= 100 and 0 <= dot.y <= 100 for dot in charts.scatter([1, 2], [3, 4], [0, 1]))
