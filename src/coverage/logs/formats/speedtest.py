"""The Speedtest app's export of a person's own tests: throughput by place, no level and no operator.

The app writes the names in the phone's language. ConnType is Wifi, Cell, Lte, Hspa…; throughput is in kbit/s.
A test that ran shows service of its technology; without a connection there is no test. IP addresses are never read.
"""

from coverage.logs.formats.profile import Format, OtherRows

_TYPE = ("ConnType", "TipoConexión", "Tipo de conexión", "TipoConex")

FORMAT = Format(
    name="speedtest",
    title_vi="bảng xuất của ứng dụng Speedtest",
    title_en="Speedtest app export",
    records_no_service=False,
    columns={
        "time": ("Date", "Fecha"),
        "lat": ("Lat", "Latitud"),
        "lon": ("Lon", "Longitud"),
        "technology": _TYPE,
        "kind": _TYPE,
        "download_kbps": ("Download", "Descarga"),
        "upload_kbps": ("Upload", "Subida", "Carga"),
    },
    needs=(("time",), ("lat",), ("lon",), ("kind",), ("download_kbps",), ("upload_kbps",)),
    camped_by_technology=True,
    other_rows=(OtherRows("kind", frozenset({"wifi", "wlan", "ethernet", "lan"}), "not_mobile"),),
)
