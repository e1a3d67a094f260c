"""Administration of care items and guideline rules."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import Role
from apps.jobs.errors import UserError
from apps.recommendations import catalogue
from apps.recommendations.engine import withdraw_item
from apps.recommendations.forms import CatalogueForm, ItemForm, RuleForm
from apps.recommendations.guidelines import files
from apps.recommendations.guidelines.plain import grade
from apps.recommendations.models import CareItem, GuidelineRule

SALT = "recommendations.import"


@role_required(Role.ADMIN)
@require_GET
def guidelines(request: HttpRequest) -> HttpResponse:
    """List all items with their active rules."""
    items = CareItem.objects.prefetch_related("rules")
    rows = [
        {
            "item": item,
            "rules": [rule for rule in item.rules.all() if rule.active],
            "grade": grade(f"{item.content['patient_text']['en']} {item.content['what_to_do']['en']}"),
        }
        for item in items
    ]
    broken = GuidelineRule.objects.filter(active=True).exclude(broken="")
    return render(request, "recommendations/guidelines.html", {"rows": rows, "broken": broken, "form": CatalogueForm()})


@role_required(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def item(request: HttpRequest, code: str = "") -> HttpResponse:
    """Create or edit an item."""
    row = get_object_or_404(CareItem, code=code) if code else None
    form = ItemForm(request.POST or None, item=row)
    if request.method == "POST" and form.is_valid():
        try:
            saved = catalogue.save_item(form.content, revision=form.cleaned_data["revision"], actor=signed_in(request))
        except UserError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved."))
            return redirect("recommendations:item", saved.code)
    context = {"form": form, "item": row, "open": row.recommendations.count() if row else 0}
    return render(request, "recommendations/item.html", context, status=422 if form.errors else 200)


@role_required(Role.ADMIN)
@require_POST
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    """Withdraw an item and recall its open recommendations."""
    row = get_object_or_404(CareItem, code=code)
    recalled = withdraw_item(row, request.POST.get("reason", ""), actor=signed_in(request))
    messages.success(request, _("Withdrawn. %(n)s open recommendations were recalled.") % {"n": recalled})
    return redirect("recommendations:guidelines")


@role_required(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def rule(request: HttpRequest, code: str = "") -> HttpResponse:
    """Create a rule or a new version of one; its examples are tested first."""
    versions = list(GuidelineRule.objects.filter(code=code).select_related("item")) if code else []
    row = get_object_or_404(GuidelineRule, code=code, version=versions[0].version if versions else 0) if code else None
    initial = {**row.content, "code": row.code, "item": row.item.code} if row else {}
    form = RuleForm(request.POST or None, initial=initial)
    if row is not None:
        form.fields["code"].widget.attrs["readonly"] = True
    tried: list[dict[str, Any]] = []
    if request.method == "POST" and form.is_valid():
        content = {**form.content, **({"code": row.code} if row else {})}
        try:
            tried = _test_results(content)
            if request.POST.get("act") != "try":
                saved = catalogue.save_rule(content, actor=signed_in(request))
                messages.success(
                    request, _("Saved as version %(n)s.") % {"n": saved.version} if saved else _("Nothing has changed.")
                )
                return redirect("recommendations:rule", content["code"])
        except UserError as refusal:
            form.add_error(None, str(refusal))
    elif row is not None:
        tried = _test_results_or_nothing(row)
    context = {"form": form, "rule": row, "versions": versions, "tried": tried}
    return render(request, "recommendations/rule.html", context, status=422 if form.errors else 200)


@role_required(Role.ADMIN)
@require_POST
def stop(request: HttpRequest, code: str) -> HttpResponse:
    """Deactivate a rule."""
    row = get_object_or_404(GuidelineRule, code=code, active=True)
    catalogue.stop_rule(row, actor=signed_in(request))
    return redirect("recommendations:guidelines")


@role_required(Role.ADMIN)
@require_POST
def import_catalogue(request: HttpRequest) -> HttpResponse:
    """Import a file in two steps: preview its contents, then submit a signed copy of the preview."""
    actor = signed_in(request)
    try:
        if "content" in request.POST:
            content = signing.loads(request.POST["content"], salt=SALT, max_age=3600)
            items, rules = catalogue.load(content, actor=actor)
            messages.success(
                request, _("Imported: %(items)s items, %(rules)s rules.") % {"items": items, "rules": rules}
            )
            return redirect("recommendations:guidelines")
        file = request.FILES.get("file")
        if file is None:
            raise UserError("catalogue_file", why=_("no file was selected"))
        content = catalogue.read_file(file.read(files.MAX_BYTES + 1))
    except UserError as refusal:
        messages.error(request, str(refusal))
        return redirect("recommendations:guidelines")
    except signing.BadSignature:
        messages.error(request, _("This preview has expired. Choose the file again."))
        return redirect("recommendations:guidelines")
    known = set(CareItem.objects.values_list("code", flat=True))
    context = {
        "content": content,
        "signed": signing.dumps(content, salt=SALT, compress=True),
        "items": [(item, item["code"] in known) for item in content["items"]],
    }
    return render(request, "recommendations/import.html", context)


@role_required(Role.ADMIN)
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """Download the active catalogue as FHIR R5 Bundle."""
    items = [
        {"code": row.code, "kind": row.kind, "clinicians_only": row.clinicians_only, **row.content}
        for row in CareItem.objects.filter(withdrawn_at=None)
    ]
    rules = [
        {"code": row.code, "item": row.item.code, **row.content}
        for row in GuidelineRule.objects.filter(active=True, item__withdrawn_at=None).select_related("item")
    ]
    answer = JsonResponse(files.as_bundle(items, rules), json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Content-Disposition"] = 'attachment; filename="guidelines.json"'
    return answer


def _test_results(content: dict[str, Any]) -> list[dict[str, Any]]:
    failed = dict(catalogue.test(content))
    return [
        {
            "facts": json.dumps(example["facts"], ensure_ascii=False),
            "holds": example["holds"],
            "fails": number in failed,
            "got": failed.get(number, example["holds"]),
        }
        for number, example in enumerate(content.get("examples", []))
    ]


def _test_results_or_nothing(row: GuidelineRule) -> list[dict[str, Any]]:
    try:
        return _test_results(row.content)
    except UserError:
        return []
