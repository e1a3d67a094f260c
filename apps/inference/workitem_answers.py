"""What is answered about a workitem: a data set in the DICOM JSON model."""

from __future__ import annotations

from apps.imaging.dicom.element_values import UTF_8
from apps.imaging.dicom.json_model import NAME_GROUPS, JsonObject
from apps.imaging.models import Series
from apps.inference.models import Analysis
from apps.inference.workitem_model import CLASS, CODE, INPUT, INSTANCE, SOP_CLASS, STATE, code_item, element
from apps.inference.workitems import Task
from apps.jobs.models import State, Urgency

REASON_FOR_CANCELLATION = "00741238"


def answer(task: Task, *, instances: bool) -> JsonObject:
    """Return a workitem's attributes, never its Transaction UID (PS3.18 section 11.5).

    Args:
        instances: whether the input's instances are listed one by one.
    """
    stored = task.workitem.attributes if task.workitem else {}
    derived = _of_analysis(task.analysis) if task.analysis else {}
    at = task.workitem.created_at if task.workitem else task.analysis.queued_at if task.analysis else None
    fixed = {
        "00080005": element("CS", UTF_8),
        CLASS: element("UI", SOP_CLASS),
        INSTANCE: element("UI", task.uid),
        STATE: element("CS", task.state.value),
        INPUT: element("SQ", _input(task.series, instances=instances)),
        **_patient(task.series),
    }
    defaults = {
        "00404005": element("DT", at.strftime("%Y%m%d%H%M%S.%f%z") if at else ""),
        "00404041": element("CS", "READY"),
        "00741200": element("CS", "MEDIUM"),
    }
    return dict(sorted({**defaults, **stored, **derived, **fixed}.items()))


def code_of(task: Task) -> str:
    """Return the code value of the Scheduled Workitem Code."""
    if task.analysis is not None:
        return task.analysis.package.name
    assert task.workitem is not None
    item = task.workitem.attributes[CODE]["Value"][0]
    return str((item.get("00080100") or item.get("00080119") or {}).get("Value", [""])[0])


def _of_analysis(analysis: Analysis) -> JsonObject:
    package = analysis.package
    title = package.card["title"]["en"]
    reason = analysis.reason if analysis.state in (State.REFUSED, State.FAILED) else ""
    priority = "HIGH" if analysis.urgency == Urgency.INTERACTIVE else "LOW"
    return {
        CODE: element("SQ", code_item(package.name, title)),
        "00741004": element("DS", analysis.progress),
        "00741200": element("CS", priority),
        "00741204": element("LO", f"{title} {package.version}"[:64]),
        **({REASON_FOR_CANCELLATION: element("LT", reason)} if reason else {}),
    }


def _patient(series: Series) -> JsonObject:
    patient = series.study.patient
    groups = dict(zip(NAME_GROUPS, patient.name.split("="), strict=False))
    name = {group: text for group, text in groups.items() if text}
    return {
        "00100010": element("PN", name or None),
        "00100020": element("LO", patient.mrn),
        "00100021": element("LO", patient.mrn_issuer),
        "00100030": element("DA", patient.birth_date.strftime("%Y%m%d") if patient.birth_date else ""),
        "00100040": element("CS", patient.sex if patient.sex in ("M", "F", "O") else ""),
    }


def _input(series: Series, *, instances: bool) -> JsonObject:
    item = {
        "0020000D": element("UI", series.study.study_instance_uid),
        "0020000E": element("UI", series.series_instance_uid),
        "0040E020": element("CS", "DICOM"),
    }
    if instances:
        rows = series.instances.values_list("sop_class_uid", "sop_instance_uid")
        references = [{"00081150": element("UI", kind), "00081155": element("UI", uid)} for kind, uid in rows]
        item["00081199"] = element("SQ", *references)
    return item
