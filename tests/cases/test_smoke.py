from datetime import timedelta
import pytest
from django.urls import reverse
from django.utils import timezone
from apps.cases import notes, values
from apps.cases.models import *
from apps.cases.tasks import read_note, summarise, predict
from apps.inference.tasks import analyse
from apps.inference.routing import route
from tests.factories import browser_of


def test_all(packages, case, doctor, study):
    a = route(study.series.first(), urgent=True)[0]
    analyse(str(a.pk))
    from apps.cases.following import follow

    follow(a.pk)
    n = notes.write(
        case,
        "HISTORY: 60 year old with fever and cough for 3 days. No pneumonia on exam. Mother had asthma. Started amoxicillin 500 mg twice daily. Heart rate 120, temperature 38.9 C, SpO2 91 %.\nIMPRESSION: Possible sepsis.",
        actor=doctor,
    )
    for k in range(30):
        for code, v in (("8867-4", 90 + k), ("2524-7", 1 + k * 0.1), ("8480-6", 120 - k), ("2160-0", 1.1)):
            values.add(case, code, str(v), "", case.started_at + timedelta(hours=k, minutes=5), actor=doctor)
    for r in Reading.objects.all():
        read_note(str(r.pk))
    for r in Summary.objects.all():
        summarise(str(r.pk))
    for r in Prediction.objects.order_by("kind"):
        predict(str(r.pk))
    import time

    for r in Prediction.objects.filter(state="queued"):
        predict(str(r.pk))
    for m in (Reading, Summary, Prediction):
        for r in m.objects.all():
            print(m.__name__, getattr(r, "kind", ""), r.state, r.reason)
    print([(c.kind, c.details["concept"], c.assertions) for c in Concept.objects.all()])
    print(Prediction.objects.filter(kind="deterioration", state="succeeded").first().answer["drivers"])
    print(Summary.objects.first().content, Discordance.objects.count())
    c = browser_of(doctor)
    for name in (
        "overview",
        "notes",
        "values",
        "timeline",
        "risk",
        "reports",
        "team",
        "change",
        "summary",
        "risk-figures",
    ):
        t = time.time()
        r = c.get(reverse(f"cases:{name}", args=[case.pk]))
        print(name, r.status_code, round(time.time() - t, 3))
        assert r.status_code == 200
    assert c.get(reverse("cases:note", args=[case.pk, n.pk])).status_code == 200
    assert c.get(reverse("cases:list")).status_code == 200
    r = c.post(reverse("cases:list"), {"text": "amoxicillin"})
    assert "Progress note" in r.content.decode()
    r = c.post(reverse("cases:begin-report", args=[case.pk]), {"study": study.study_instance_uid})
    print(r.url)
    u = r.url
    assert c.get(u).status_code == 200
    rep = Report.objects.get()
    r = c.post(u, {"revision": 1, "act": "final", "findings": "Opacity right lower zone.", "impression": "Pneumonia."})
    print(r.status_code)
    assert r.status_code == 302
    for k in ("report-print", "report-pdf"):
        t = time.time()
        r = c.get(reverse(f"cases:{k}", args=[case.pk, rep.pk, 1]))
        print(k, r.status_code, len(r.content), time.time() - t)
        open("/tmp/x/r.pdf", "wb").write(r.content)
        assert r.status_code == 200
    for k in ("report-sr", "report-fhir"):
        r = c.get(reverse(f"cases:{k}", args=[case.pk, rep.pk]))
        print(k, r.status_code, len(r.content))
        assert r.status_code == 200
    r = c.get(u + "?amend=1")
    assert r.status_code == 200
    assert c.get(reverse("portal:study", args=[study.study_instance_uid])).status_code == 200
    assert c.get(reverse("portal:record", args=[study.patient_id])).status_code == 200
    assert c.get(reverse("portal:worklist")).status_code == 200
