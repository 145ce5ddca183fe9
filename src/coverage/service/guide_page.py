"""The field guide and the table to fill in, for crews that have nothing but this service's address."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from coverage.exports.field_guide import Served, field_guide_html
from coverage.exports.measurement_template import template_csv, template_xlsx
from coverage.service.access import may
from coverage.service.admission import Asking
from coverage.service.desk import AtDesk
from coverage.service.greeting import greeting
from coverage.service.languages import Lang, in_language

router = APIRouter()
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/guide", include_in_schema=False)
def guide(desk: AtDesk, request: Request, caller: Asking, lang: Lang | None = None) -> Response:
    """The guide, in the language that is asked for or was the last time."""
    may_send = caller is None or may(caller.role, "GET /upload")

    def page(chosen: Lang) -> str:
        served = Served(greeting(request, caller, chosen), may_send)
        return field_guide_html(desk.workspace.criteria, chosen, served)

    return in_language(request, lang, page)


@router.get("/guide/template.csv")
def template_as_csv(desk: AtDesk) -> Response:
    """The table to fill in, as CSV."""
    return _file(template_csv(desk.workspace.criteria), "text/csv; charset=utf-8", "mau-do.csv")


@router.get("/guide/template.xlsx")
def template_as_workbook(desk: AtDesk) -> Response:
    """The table to fill in, as a workbook."""
    return _file(template_xlsx(desk.workspace.criteria), _XLSX, "mau-do.xlsx")


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)
