"""What the interface's page says of each operation in both languages, how a caller shows who it is, and the form's fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coverage.exports.lists import LISTS
from coverage.service.admission import SESSION_COOKIE

_MAP = "GET /map/{}.json"
_OGC = "GET /ogc/collections"
_ONE = "/v1/deliveries/{delivery_id}"
_TUS = "/v1/tus/{delivery_id}"
# Operation → one line, Vietnamese first. What has none is called by the first sentence of its description.
SUMMARIES: Mapping[str, str] = {
    "GET /healthz": "Tiến trình còn trả lời không / whether the process answers",
    "GET /readyz": "Dịch vụ đã sẵn sàng chưa / whether the service can work",
    "GET /version": "Phiên bản / version",
    "GET /metrics": "Số đếm cho Prometheus / counts for Prometheus",
    "GET /": "Bản đồ / the map",
    "GET /ogc": "Nơi bắt đầu cho QGIS / where a GIS client begins",
    "GET /ogc/conformance": "Các phần của chuẩn / parts of the standards",
    "GET /ogc/api": "Tài liệu OpenAPI của /ogc / the OpenAPI document of /ogc",
    _OGC: "Các lớp dữ liệu / the collections",
    f"{_OGC}/{{collection}}": "Một lớp dữ liệu / one collection",
    f"{_OGC}/{{collection}}/queryables": "Thuộc tính lọc được / properties to ask by",
    f"{_OGC}/{{collection}}/items": "Một trang đối tượng / a page of features",
    f"{_OGC}/{{collection}}/items/{{feature_id}}": "Một đối tượng / one feature",
    **{f"GET /{what}.{{fmt}}": f"Danh sách {what} thành tệp / the list {what} as a file" for what in LISTS},
    "GET /lists.xlsx": "Các danh sách trong một sổ Excel / the lists in one workbook",
    "GET /kpi.json": "Số liệu cho trung tâm điều hành / figures for an operations centre",
    "GET /kpi.schema.json": "Lược đồ của /kpi.json / the schema of /kpi.json",
    _MAP.format("data"): "Dữ liệu của trang bản đồ / what the map's page shows",
    _MAP.format("snapshots"): "Các bản đánh giá / the snapshots",
    _MAP.format("changes"): "Thôn đổi trạng thái / villages that changed",
    _MAP.format("classes"): "Chú giải của một lớp / the legend of a layer",
    _MAP.format("communes"): "Ranh giới xã / communes",
    _MAP.format("villages"): "Các thôn / villages",
    _MAP.format("dead"): "Các vùng không có sóng / dead areas",
    _MAP.format("roads"): "Đường / roads",
    _MAP.format("sites"): "Trạm phát sóng / radio sites",
    _MAP.format("lines"): "Đường dây điện / power lines",
    "GET /v1/hexes": "Ô lục giác tại một điểm / the hex at a point",
    "GET /v1/villages/{village_id}/hexes": "Các ô đã đo của một thôn / the measured hexes of a village",
    "GET /v1/villages/{village_id}/places": "Các cụm dân cư của một thôn / the places of a village",
    "GET /tiles/base/{z}/{x}/{y}.png": "Một ảnh của nền bản đồ / a tile of the base map",
    "GET /tiles/{layer}/{z}/{x}/{y}.png": "Một ảnh của lớp ô lục giác / a tile of a layer of hexes",
    "GET /guide/template.csv": "Bảng mẫu CSV để điền số đo / the table to fill in, CSV",
    "GET /guide/template.xlsx": "Bảng mẫu Excel để điền số đo / the table to fill in, Excel",
    "POST /v1/uploads": "Gửi tệp đo bằng biểu mẫu / send measurement files by a form",
    "GET /v1/uploads": "Các lần nạp / the uploads",
    "GET /v1/uploads/{upload_id}": "Một lần nạp / one upload",
    "DELETE /v1/uploads/{upload_id}": "Rút số liệu / withdraw an upload",
    "POST /v1/uploads/{upload_id}/restore": "Khôi phục số liệu đã rút / restore an upload",
    "GET /v1/uploads/{upload_id}/rejects.csv": "Các dòng không nhận và lý do / refused rows with reasons",
    "GET /v1/deliveries": "Các lần gửi / the deliveries",
    f"GET {_ONE}": "Một lần gửi: tới đâu rồi / one delivery: how far it is",
    f"PUT {_ONE}": "Gửi một tệp với mã tự đặt / send one file under an id of one's own",
    f"DELETE {_ONE}": "Bỏ một lần gửi / give a delivery up",
    f"GET {_ONE}/events": "Theo dõi một lần gửi / follow a delivery",
    f"GET {_ONE}/preview": "Xem trước / preview",
    f"POST {_ONE}/confirm": "Đồng ý, nhận tệp / accept a held file",
    f"POST {_ONE}/retry": "Đọc lại / read it once more",
    "GET /v1/receipts/{code}": "Tra mã biên nhận / look a receipt up",
    "OPTIONS /v1/tus": "Máy chủ nhận được gì (tus) / what the server knows (tus)",
    "OPTIONS /v1/tus/{_delivery_id}": "Máy chủ nhận được gì (tus) / what the server knows (tus)",
    "POST /v1/tus": "Bắt đầu gửi từng phần (tus) / begin a sending in pieces (tus)",
    f"HEAD {_TUS}": "Đã nhận tới byte nào (tus) / up to which byte (tus)",
    f"PATCH {_TUS}": "Gửi phần tiếp theo (tus) / the next piece (tus)",
    f"DELETE {_TUS}": "Bỏ lần gửi (tus) / give the sending up (tus)",
    f"POST {_TUS}": "PATCH, DELETE, HEAD bằng POST (tus) / the same by POST (tus)",
}
# By which of these the caller shows who it is is its own choice.
SECURITY: Mapping[str, dict[str, str]] = {
    "X-Api-Key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "Khoá ps_… của một đội hay chương trình / the key of a team or a program",
    },
    "Bearer": {"type": "http", "scheme": "bearer", "description": "Cùng khoá ấy / the same key"},
    "Basic": {
        "type": "http",
        "scheme": "basic",
        "description": "Tên bất kỳ, mật khẩu là khoá (QGIS) / any name, the key as password (QGIS)",
    },
    "Session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "Phiên đăng nhập ở /login / a session begun at /login",
    },
}
_SWITCH = {"type": "string", "enum": ["true", "false"]}


def _word(about: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON schema
    return {"type": "string", "description": about} | more


# The form of POST /v1/uploads. All but the file say what the file leaves open; see `said.WORDS`.
FORM: Mapping[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": _word("Tệp đo; có thể nhiều tệp / the file, or several", format="binary"),
        "operator": _word("Nhà mạng, nếu tệp không ghi / where the file names none: Viettel, 45204"),
        "source": _word(
            "Ai đo; bỏ trống thì như người dân / who measured; unsaid it is crowdsourced",
            enum=["drive_test", "crowdsourced"],
        ),
        "device": _word("Máy đo / the phone"),
        "technology": _word("Công nghệ / technology: 2G, 3G, 4G, 5G"),
        "date": _word("Ngày đo, cho tệp không có giờ / for files without times: YYYY-MM-DD", format="date"),
        "date_order": _word("8/7: ngày hay tháng trước / day or month first", enum=["dmy", "mdy"]),
        "timezone": _word("Múi giờ / of times without a zone: Asia/Ho_Chi_Minh"),
        "format": _word("Tên định dạng / the format's name"),
        "team": _word("Đội / the team"),
        "campaign": _word("Đợt đo / the campaign"),
        "in_vehicle": _SWITCH | {"description": "Đo trong xe / inside a vehicle"},
        "antenna": _word("Ăng-ten / the antenna", enum=["inside", "roof", "hand"]),
        "calibrated": _SWITCH | {"description": "Máy đã hiệu chuẩn / a calibrated device"},
        "positive_only": _SWITCH
        | {"description": "Ứng dụng không ghi lúc mất sóng / the app never writes no service"},
        "hold": _SWITCH | {"description": "Chờ xem trước / wait for the preview"},
        "by": _word("Người gửi / who sends"),
        "sha256": _word("Của cả tệp; byte khác thì từ chối / of the whole file; other bytes are refused"),
    },
}
_STATES = ["receiving", "received", "done", "refused", "failed", "cancelled"]
# A delivery as `answers.delivery` makes it: what matters first to a program.
DELIVERY: Mapping[str, Any] = {
    "type": "object",
    "required": [
        "delivery_id",
        "url",
        "file",
        "receipt",
        "state",
        "files",
        "refused",
        "judged",
        "snapshot_id",
    ],
    "properties": {
        "delivery_id": {"type": "string"},
        "url": _word("Hỏi ở đây cho đến khi judged là true / ask here until judged is true"),
        "file": {"type": "string"},
        "receipt": {"type": ["string", "null"], "description": "Mã biên nhận / the receipt's code"},
        "state": {"type": "string", "enum": _STATES},
        "files": {"type": "array", "items": {"type": "object"}},
        "refused": {"type": "array", "items": {"type": "object"}},
        "judged": {"type": "boolean", "description": "Bản đồ đã tính / the map counts it"},
        "snapshot_id": {"type": ["string", "null"]},
    },
}
