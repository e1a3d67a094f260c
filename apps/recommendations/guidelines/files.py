"""Catalogue files: items as CSV; items and rules as FHIR R5 Bundle of ActivityDefinition and PlanDefinition."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

KINDS = (
    "screening",
    "vaccination",
    "imaging",
    "medication",
    "lifestyle",
    "education",
    "appointment",
    "device",
    "treatment",
)
COLUMNS = ("code", "kind", "title_en", "title_zh", "text_en", "text_zh", "todo_en", "todo_zh")
MAX_BYTES = 5 * 2**20
PLAIN, TODO = "urn:medportal:patient-text", "urn:medportal:what-to-do"
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
EXAMPLES, KIND = "urn:medportal:examples", "urn:medportal:kind"
CONTRAINDICATION = "urn:medportal:contraindication"
_CODE = re.compile(r"^[a-z0-9][a-z0-9-]{1,58}$")


class InvalidCatalogueFile(Exception):
    """A file that is not a valid catalogue; the message names the row or resource and the problem."""


def read_catalogue(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Parse a catalogue file into ``items`` and ``rules``.

    CSV needs COLUMNS and may have ``system``, ``coding`` and ``clinicians_only``. FHIR is a Bundle of
    ActivityDefinitions (items) and PlanDefinitions (rules) as written by :func:`as_bundle`, or a single one of them.

    Raises:
        InvalidCatalogueFile: if any part of the file is invalid.
    """
    if len(content) > MAX_BYTES:
        raise InvalidCatalogueFile(f"at most {MAX_BYTES // 2**20} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidCatalogueFile("save it as UTF-8") from None
    return _of_fhir(text) if text.lstrip().startswith(("{", "[")) else {"items": _of_csv(text), "rules": []}


def _of_csv(text: str) -> list[dict[str, Any]]:
    try:
        table = csv.DictReader(io.StringIO(text), strict=True)
        missing = [name for name in COLUMNS if name not in (table.fieldnames or [])]
        if missing:
            raise InvalidCatalogueFile(f"columns are missing: {', '.join(missing)}")
        rows = list(table)
    except csv.Error as error:
        raise InvalidCatalogueFile(str(error)) from None
    items = []
    for number, row in enumerate(rows, start=2):
        empty = [name for name in COLUMNS if not (row[name] or "").strip()]
        if empty:
            raise InvalidCatalogueFile(f"row {number}: empty: {', '.join(empty)}")
        items.append(_item({name: (value or "").strip() for name, value in row.items() if name}, f"row {number}"))
    return items


def _item(row: dict[str, str], where: str) -> dict[str, Any]:
    if row["kind"] not in KINDS:
        raise InvalidCatalogueFile(f"{where}: the kind is one of {', '.join(KINDS)}")
    if not _CODE.match(row["code"]):
        raise InvalidCatalogueFile(f"{where}: a code has small letters, digits and hyphens")
    coding = {"system": row.get("system", ""), "code": row.get("coding", ""), "display": row["title_en"]}
    return {
        "code": row["code"],
        "kind": row["kind"],
        "title": {"en": row["title_en"], "zh-hans": row["title_zh"]},
        "patient_text": {"en": row["text_en"], "zh-hans": row["text_zh"]},
        "what_to_do": {"en": row["todo_en"], "zh-hans": row["todo_zh"]},
        "codings": [coding] if coding["code"] else [],
        "contraindications": [],
        "after": [],
        "clinicians_only": row.get("clinicians_only", "").casefold() in ("1", "yes", "true"),
    }


def _of_fhir(text: str) -> dict[str, list[dict[str, Any]]]:
    # Imported lazily: large and rarely needed.
    from fhir.resources.activitydefinition import ActivityDefinition
    from fhir.resources.plandefinition import PlanDefinition

    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidCatalogueFile(f"no valid JSON: {error}"[:200]) from None
    if not isinstance(whole, dict):
        raise InvalidCatalogueFile("a FHIR resource is a JSON object")
    resources = (
        [entry.get("resource", {}) for entry in whole.get("entry", [])]
        if whole.get("resourceType") == "Bundle"
        else [whole]
    )
    items, rules = [], []
    for number, resource in enumerate(resources, start=1):
        where = f"resource {number}"
        kind = resource.get("resourceType")
        try:
            if kind == "ActivityDefinition":
                items.append(_item_of(ActivityDefinition.model_validate(resource).model_dump(mode="json"), where))
            elif kind == "PlanDefinition":
                rules += _rules_of(PlanDefinition.model_validate(resource).model_dump(mode="json"))
            else:
                raise InvalidCatalogueFile(f"{where}: {kind} is neither ActivityDefinition nor PlanDefinition")
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InvalidCatalogueFile(f"{where} ({kind}): {str(error).splitlines()[0][:160]}") from None
    return {"items": items, "rules": rules}


def _item_of(resource: dict[str, Any], where: str) -> dict[str, Any]:
    extensions = {row["url"]: row for row in resource.get("extension", [])}
    row = {
        "code": resource["name"],
        "kind": extensions[KIND]["valueCode"],
        **_translated("title", resource["title"], resource.get("_title")),
        **_bilingual("text", extensions[PLAIN]),
        **_bilingual("todo", extensions[TODO]),
    }
    item = _item(row, where)
    item["codings"] = [
        {name: coding.get(name, "") for name in ("system", "code", "display")}
        for coding in resource.get("code", {}).get("coding", [])
    ]
    item["clinicians_only"] = resource.get("usage", "") == "clinicians"
    item["after"] = [row["valueCode"] for row in resource.get("extension", []) if row["url"] == "urn:medportal:after"]
    item["contraindications"] = [
        _contraindication(row) for row in resource.get("extension", []) if row["url"] == CONTRAINDICATION
    ]
    return item


def _translated(name: str, english: str, element: dict[str, Any] | None) -> dict[str, str]:
    """A string with the FHIR translation extension, as English and Chinese columns."""
    chinese = english
    for extension in (element or {}).get("extension", []):
        parts = {part["url"]: part for part in extension.get("extension", [])}
        if extension["url"] == TRANSLATION and parts["lang"]["valueCode"].lower().startswith("zh"):
            chinese = parts["content"]["valueString"]
    return {f"{name}_en": english, f"{name}_zh": chinese}


def _contraindication(extension: dict[str, Any]) -> dict[str, Any]:
    parts = {part["url"]: part for part in extension["extension"]}
    english = parts["en"]["valueString"]
    chinese = parts["zh-Hans"]["valueString"] if "zh-Hans" in parts else english
    return {
        "condition": parts["condition"]["valueExpression"]["expression"],
        "reason": {"en": english, "zh-hans": chinese},
    }


def _bilingual(name: str, extension: dict[str, Any]) -> dict[str, str]:
    """A bilingual text extension, as English and Chinese columns."""
    parts = {part["url"]: part["valueMarkdown"] for part in extension["extension"]}
    return {f"{name}_en": parts["en"], f"{name}_zh": parts.get("zh-Hans", parts["en"])}


def _rules_of(resource: dict[str, Any]) -> list[dict[str, Any]]:
    rules = []
    for action in resource["action"]:
        expression = action["condition"][0]["expression"]
        if expression["language"] != "text/fhirpath":
            raise ValueError("conditions are FHIRPath (text/fhirpath)")
        extensions = {row["url"]: row for row in action.get("extension", [])}
        extra = json.loads(extensions[EXAMPLES]["valueString"])
        rules.append(
            {
                "code": resource["name"],
                "item": action["definitionCanonical"].rsplit("/", 1)[-1],
                "condition": expression["expression"],
                "citation": action["documentation"][0]["citation"],
                **extra,
            }
        )
    return rules


def as_bundle(items: list[dict[str, Any]], rules: list[dict[str, Any]]) -> dict[str, Any]:
    """Build a FHIR R5 Bundle; the inverse of :func:`read_catalogue`."""
    resources = [_activity(item) for item in items] + [_plan(rule) for rule in rules]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]}


def _activity(item: dict[str, Any]) -> dict[str, Any]:
    def languages(url: str, words: dict[str, str]) -> dict[str, Any]:
        texts = [{"url": "en", "valueMarkdown": words["en"]}, {"url": "zh-Hans", "valueMarkdown": words["zh-hans"]}]
        return {"url": url, "extension": texts}

    extensions: list[dict[str, Any]] = [
        {"url": KIND, "valueCode": item["kind"]},
        languages(PLAIN, item["patient_text"]),
        languages(TODO, item["what_to_do"]),
        *({"url": "urn:medportal:after", "valueCode": code} for code in item.get("after", [])),
        *(
            {
                "url": CONTRAINDICATION,
                "extension": [
                    {
                        "url": "condition",
                        "valueExpression": {"language": "text/fhirpath", "expression": entry["condition"]},
                    },
                    {"url": "en", "valueString": entry["reason"]["en"]},
                    {"url": "zh-Hans", "valueString": entry["reason"]["zh-hans"]},
                ],
            }
            for entry in item.get("contraindications", [])
        ),
    ]
    resource: dict[str, Any] = {
        "resourceType": "ActivityDefinition",
        "status": "active",
        "name": item["code"],
        "title": item["title"]["en"],
        "_title": {
            "extension": [
                {
                    "url": TRANSLATION,
                    "extension": [
                        {"url": "lang", "valueCode": "zh-Hans"},
                        {"url": "content", "valueString": item["title"]["zh-hans"]},
                    ],
                }
            ]
        },
        "extension": extensions,
    }
    if item.get("codings"):
        resource["code"] = {"coding": item["codings"]}
    if item.get("clinicians_only"):
        resource["usage"] = "clinicians"
    return resource


def _plan(rule: dict[str, Any]) -> dict[str, Any]:
    rest = {
        name: value for name, value in rule.items() if name not in ("code", "version", "item", "condition", "citation")
    }
    return {
        "resourceType": "PlanDefinition",
        "status": "active",
        "name": rule["code"],
        "action": [
            {
                "condition": [
                    {
                        "kind": "applicability",
                        "expression": {"language": "text/fhirpath", "expression": rule["condition"]},
                    }
                ],
                "definitionCanonical": f"urn:medportal:item/{rule['item']}",
                "documentation": [{"type": "citation", "citation": rule["citation"]}],
                "extension": [{"url": EXAMPLES, "valueString": json.dumps(rest, ensure_ascii=False)}],
            }
        ],
    }
