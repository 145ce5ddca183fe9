"""The field guide: one printable page for measuring crews, in Vietnamese or English. Its numbers are those of the criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Literal

from coverage import cell_lists
from coverage.criteria import Criteria
from coverage.exports.field_plan import FieldPlan, field_plan
from coverage.exports.measurement_template import operator_names
from coverage.logs.formats import FORMATS
from coverage.logs.read import MAX_ACCURACY_M
from coverage.moments import HALF_HOUR_S

Language = Literal["vi", "en"]
_TEXTS = files("coverage.exports").joinpath("static", "guide")
_GENERATIONS = {"LTE": "4G", "NR": "5G", "UMTS": "3G"}  # 2G has a date instead of a level that matters
_MASTS = (cell_lists.NETMONSTER.name, cell_lists.NETMONITOR.name, cell_lists.NSG)


@dataclass(frozen=True)
class App:
    """A logging app that can be read: its name, the names of its formats, how to set it and which file to send."""

    name: str
    formats: tuple[str, ...]
    vi: str
    en: str

    @property
    def records_no_service(self) -> bool:
        """Whether one of the app's files says where there is no service."""
        return any(one.records_no_service for one in FORMATS if one.name in self.formats)


APPS = (
    App(
        "G-NetTrack Pro",
        ("gnettrack_text", "gnettrack_csv"),
        "Chọn các cột Timestamp, Longitude, Latitude, Operatorname, Operator, NetworkTech, Level, Accuracy, Speed. "
        "Nộp tệp <code>…_log.txt</code>; không nộp tệp events, datatest, stats.",
        "Choose the columns Timestamp, Longitude, Latitude, Operatorname, Operator, NetworkTech, Level, Accuracy, Speed. "
        "Send <code>…_log.txt</code>, not the files of events, datatest or stats.",
    ),
    App(
        "G-MoN Pro",
        ("gmon",),
        "Nộp bảng CSV xuất từ ứng dụng, giữ đủ các cột.",
        "Send the exported CSV with all its columns.",
    ),
    App(
        "Network Survey",
        (
            "networksurvey_lte",
            "networksurvey_nr",
            "networksurvey_umts",
            "networksurvey_gsm",
            "networksurvey_phonestate",
        ),
        "Lúc mất sóng chỉ nằm trong tệp <code>…phonestate….csv</code>: bật ghi cả Cellular và Phone State, "
        "nộp <strong>cả hai loại tệp</strong>, cùng một tên máy.",
        "Silence stands only in <code>…phonestate….csv</code>: log both Cellular and Phone State, send "
        "<strong>both kinds of files</strong> under one name of the phone.",
    ),
    App(
        "Tower Collector",
        ("towercollector", "opencellid_upload", "geosubmit"),
        "Xuất dạng CSV hoặc JSON.",
        "Export as CSV or JSON.",
    ),
    App(
        "CellMapper",
        ("cellmapper",),
        "Tệp không có giờ: phải có ngày và nhà mạng trong tên tệp.",
        "Its file has no times: date and operator must stand in the name.",
    ),
    App("NeoStumbler", ("neostumbler",), "Xuất dạng CSV (cells.csv).", "Export as CSV (cells.csv)."),
    App("WiGLE", ("wigle",), "Xuất dạng CSV.", "Export as CSV."),
)

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Phủ Sóng: hướng dẫn đo sóng tại thôn, bản", "Phủ Sóng: field guide"),
    "asked": ("Ghi lúc mất sóng", "Writes “no service”"),
    "yes": ("Có", "Yes"),
    "no": ("Không", "No"),
    "unread": ("Không đọc được", "Not read"),
    "table": ("Bảng mẫu", "Template"),
    "table_note": (
        "Không cần ứng dụng, ghi tay từng dòng: xem mục “Không có ứng dụng?”.",
        "No app needed, rows written by hand: see “No app?”.",
    ),
    "masts": (
        "Tệp xuất ra là danh sách trạm, không phải số đo. Ứng dụng khác: nộp thử một tệp nhỏ trước khi đi.",
        "What they export are lists of cells, not readings. Any other app: send a small file as a trial first.",
    ),
    "near": ("trong vòng {} m quanh nhà văn hoá hay giữa cụm", "within {} m of the hall or the cluster's middle"),
    "at": ("ngay tại nhà văn hoá hay giữa cụm", "right at the hall or the cluster's middle"),
    "every_operator": ("mọi nhà mạng có ở đó", "every operator that is there"),
    "hall": ("nhà văn hoá", "village hall"),
    "cluster": ("từng cụm dân cư", "every cluster"),
    "template": (
        "Bảng mẫu Excel và CSV phát kèm tờ này.",
        "The template comes with this sheet, for Excel and as CSV.",
    ),
}  # fmt: skip
_LINKS = {
    "vi": 'Tải <a href="guide/template.xlsx">bảng Excel</a> hoặc <a href="guide/template.csv">CSV</a>.',
    "en": 'Download it <a href="guide/template.xlsx">for Excel</a> or <a href="guide/template.csv">as CSV</a>.',
}
# The ways to the other pages: none stands in a page that lies in a folder.
_WAYS = {
    "vi": '<a href="./">Bản đồ</a>',
    "en": '<a href="./">Map</a>',
}
_TO_SEND = {
    "vi": '<a href="upload?lang=vi">Gửi số liệu đo</a>',
    "en": '<a href="upload?lang=en">Send measurements</a>',
}
_SWITCH = {
    "vi": '<a class="switch" href="?lang=en" hreflang="en" lang="en">English</a>',
    "en": '<a class="switch" href="?lang=vi" hreflang="vi" lang="vi">Tiếng Việt</a>',
}


@dataclass(frozen=True)
class Served:
    """What a guide has that is served: who reads it, as HTML, and whether they may send measurements."""

    greeting: str = ""
    may_send: bool = True


def field_guide_html(criteria: Criteria, language: Language, served: Served | None = None) -> str:
    """The guide as one HTML page that asks nothing of anybody: style inside, system fonts, no script.

    Prints on both sides of one A4 sheet. served: it has ways to the map and the page of sendings, a switch of language
    (`?lang=`) and links to `guide/template.xlsx` and `guide/template.csv`, which a page that lies in a folder has not.
    """
    values = {
        "lang": language,
        "title": _word("title", language),
        "style": _text("guide.css"),
        "forms": "'none'" if served is None else "'self'",
        "body": _text(f"{language}.html").format_map(_values(criteria, language, served)),
    }
    return _text("page.html").format_map(values)


def _ways(served: Served, language: Language) -> str:
    """The line above the title: back to the other pages, the other language, who is logged in."""
    ways = [*([_TO_SEND[language]] if served.may_send else []), _WAYS[language], _SWITCH[language]]
    return f'<nav class="screen ways">{"".join(ways)}</nav>{served.greeting}'


def _text(name: str) -> str:
    return _TEXTS.joinpath(name).read_text(encoding="utf-8")


def _word(name: str, language: Language) -> str:
    return _WORDS[name][0 if language == "vi" else 1]


def _values(criteria: Criteria, language: Language, served: Served | None) -> dict[str, str]:
    """What the texts leave open; ready for HTML."""
    names = [escape(one) for one in operator_names(criteria)]
    link = f'<span class="screen">{_LINKS[language]}</span>' if served else ""
    plan = field_plan(criteria)
    return _numbers(criteria, plan, language) | {
        "operators": ", ".join(names) or _word("every_operator", language),
        "operator": next(iter(names), "45204"),
        "criteria": escape(criteria.label),
        "switch": "" if served is None else _ways(served, language),
        "template": f"{_word('template', language)} {link}".strip(),
        "asked": _word("asked", language),
        "apps": _apps(language),
        "picture": _picture(plan, language),
    }


def _picture(plan: FieldPlan, language: Language) -> str:
    """Where to stand; drawn for two spots, and left out where the criteria ask for another number."""
    if plan.spots != 2:
        return ""
    hall, cluster = _word("hall", language), _word("cluster", language)
    label = f"{hall}, {cluster}: ≥ {plan.spot_apart_m} m"
    return _text("picture.svg").format(hall=hall, cluster=cluster, label=label, spot_apart=plan.spot_apart_m)


def _numbers(criteria: Criteria, plan: FieldPlan, language: Language) -> dict[str, str]:
    def number(value: float) -> str:
        shown = f"{value:g}".replace("-", "\u2212")
        return shown.replace(".", ",") if language == "vi" else shown

    levels = criteria.thresholds_dbm.at("headline")
    shown = (f"{number(levels[one])} dBm ({_GENERATIONS[one]})" for one in _GENERATIONS if one in levels)
    near = _word("near", language).format(plan.reach_m) if plan.reach_m else _word("at", language)
    return {
        "levels": ", ".join(shown),
        "gsm_until": f"{criteria.gsm_is_coverage_until:%d/%m/%Y}",
        "utc_offset": f"{criteria.utc_offset_hours:+g}",
        "accuracy": number(MAX_ACCURACY_M),
        "phones": number(plan.phones),
        "dates": number(plan.dates),
        "hours": number(plan.hours_apart),
        "spots": number(plan.spots),
        "spot_apart": number(plan.spot_apart_m),
        "near": near,
        "half_hour": number(HALF_HOUR_S / 60),
        "clear_phones": number(criteria.clearing.devices),
        "months": number(criteria.evidence.validity_months),
        "vehicle_loss": number(criteria.evidence.vehicle_loss_db),
        "vehicle_kmh": number(plan.vehicle_kmh),
    }


def _apps(language: Language) -> str:
    proving = [one for one in APPS if one.records_no_service]
    others = [one for one in APPS if not one.records_no_service]
    rows = [_row(one.name, "yes", getattr(one, language), language) for one in proving]
    rows.append(_row(_word("table", language), "yes", _word("table_note", language), language))
    rows += [_row(one.name, "no", getattr(one, language), language) for one in others]
    rows.append(_row(", ".join(_MASTS), "unread", _word("masts", language), language))
    return "\n".join(rows)


def _row(name: str, answer: str, note: str, language: Language) -> str:
    kind = "yes" if answer == "yes" else "no"
    asked = _word("asked", language)
    said = f'<td class="{kind}" data-asked="{asked}">{_word(answer, language)}</td>'
    return f'<tr><th scope="row">{escape(name)}</th>{said}<td>{note}</td></tr>'
