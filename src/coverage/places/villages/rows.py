"""Which rows of a list are villages, in which commune and where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from coverage.names import nfc, place_key
from coverage.places.communes.links import codes
from coverage.places.coordinates.positions import coordinate, pair, place
from coverage.places.notes import Doubts, Note
from coverage.places.vector_files import texts
from coverage.places.villages.ids import commune_keys

_SHARED_BY = 3  # two villages may share a nhà văn hoá
SYNONYMS = {
    "village_id": ("Mã thôn", "ma_thon", "id", "Mã thôn, buôn", "Mã thôn, tổ dân phố", "Mã TDP"),
    "village_name": (
        *(
            "name",
            "Tên thôn",
            "ten_thon",
            "Thôn",
            "Tên",
            "Tên thôn, buôn",
            "Thôn, buôn",
            "Thôn, bản",
            "Tên thôn, bản",
        ),
        *("Tên thôn, tổ dân phố", "Thôn, tổ dân phố", "Tên thôn, buôn, tổ dân phố", "Thôn, buôn, tổ dân phố"),
        *("Tên buôn", "Tên bản", "Tên tổ dân phố", "Tổ dân phố"),
    ),
    "commune_code": ("Mã xã", "ma_xa", "MAXA", "Mã xã, phường", "Mã phường, xã", "Mã ĐVHC"),
    "commune_name": (
        *("Xã", "Tên xã", "ten_xa", "Xã, phường", "Phường, xã", "Tên xã, phường", "Xã, phường, đặc khu"),
        *("Xã, phường, thị trấn", "Tên xã, phường, thị trấn", "Đơn vị hành chính"),
    ),
    "cluster_id": ("Mã cụm", "Cụm dân cư", "Tên cụm", "Tên cụm dân cư", "Cụm"),
    "households": ("Số hộ", "so_ho", "Tổng số hộ", "Số hộ dân", "Tổng số hộ dân"),
    "population": (
        "Số dân",
        "Dân số",
        "so_dan",
        "Số khẩu",
        "Nhân khẩu",
        "Số nhân khẩu",
        "Số người",
        "Tổng số nhân khẩu",
    ),
    "lat": ("centre_lat", "Vĩ độ", "vi_do", "latitude"),
    "lon": ("centre_lon", "Kinh độ", "kinh_do", "longitude"),
    "x": ("Toạ độ X",),
    "y": ("Toạ độ Y",),
    "coordinates": (
        "Toạ độ",
        "Toạ độ nhà văn hoá",
        "Vị trí",
        "Toạ độ GPS",
        "Vĩ độ, kinh độ",
        "Toạ độ trung tâm",
    ),
    "especially_difficult": ("Đặc biệt khó khăn", "ĐBKK", "Thôn ĐBKK", "Thôn đặc biệt khó khăn"),
    "grid": (
        *("Có điện lưới", "Điện lưới", "Đã có điện lưới", "Có điện lưới quốc gia", "Điện lưới quốc gia"),
    ),
    "households_grid": (
        *("Số hộ có điện lưới", "so_ho_co_dien_luoi", "Số hộ có điện lưới quốc gia", "Hộ có điện lưới Số hộ"),
        *("Điện lưới Số hộ", "Số hộ sử dụng điện lưới"),
    ),
    "grid_share": (
        *("Tỷ lệ hộ có điện lưới", "Tỉ lệ hộ có điện lưới", "Tỷ lệ hộ có điện lưới quốc gia"),
        *(
            "Tỉ lệ hộ có điện lưới quốc gia",
            "Hộ có điện lưới Tỷ lệ",
            "Hộ có điện lưới Tỉ lệ",
            "Điện lưới Tỷ lệ",
        ),
    ),
    "power_share": ("Tỷ lệ hộ có điện", "Tỉ lệ hộ có điện", "Tỷ lệ hộ sử dụng điện", "Tỉ lệ hộ sử dụng điện"),
    "source": ("nguồn",),
}
PLACE_COLUMNS = {"lat", "lon", "x", "y", "coordinates"}
_COMMUNE = re.compile(r"(?:(?:[IVX]+|\d+|[A-Z])[.)]\s*)?(?:xã|phường|thị trấn|đặc khu)\s.+", re.IGNORECASE)
_CHAPTER = re.compile(r"^(?:[IVX]+|\d+|[A-Z])[.)]\s*")


def all_texts(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Every field of a list as NFC text; a column that the file does not have is missing throughout."""
    found = pd.DataFrame({column: texts(rows, column) for column in SYNONYMS}, index=rows.index)
    return found.assign(commune_code=codes(found["commune_code"]), source=found["source"].fillna(path.name))


def below_communes(
    rows: pd.DataFrame, table: pd.DataFrame, doubts: Doubts
) -> tuple[pd.DataFrame, list[Note]]:
    """The rows without those that only name the commune of the rows below them, which take its name over."""
    heading = pd.Series([_heading(cells) for cells in table.to_numpy()], index=table.index, dtype=object)
    bare = rows["village_id"].isna() & rows["commune_code"].isna() & rows["commune_name"].isna()
    heads = bare & heading.notna() & (rows["village_name"].isna() | (rows["village_name"] == heading))
    sheets = [str(label).rpartition("!")[0] for label in table.index]
    above = (
        heading.where(heads)
        .groupby(sheets)
        .ffill()
        .map(lambda text: _CHAPTER.sub("", text), na_action="ignore")
    )
    nowhere = rows["commune_code"].isna() & rows["commune_name"].isna() & above.notna()
    filled = rows.assign(commune_name=rows["commune_name"].where(~nowhere, above)).astype(object)
    filled = filled.where(filled.notna(), None)
    vi, en = "dòng tên xã, dùng cho các thôn bên dưới", "the name of a commune, taken for the villages below"
    return filled[~heads], doubts.notes("commune_heading", heads, vi, en)


def _heading(cells: Iterable[object]) -> str | None:
    words = (nfc(cell) for cell in cells if isinstance(cell, str))
    return next((text for text in words if _COMMUNE.fullmatch(text)), None)


def once(rows: pd.DataFrame, doubts: Doubts) -> tuple[pd.DataFrame, list[Note]]:
    """The rows that name a village, each once: without exact repetitions and without rows that name nothing."""
    place_known = rows[sorted(PLACE_COLUMNS)].notna().any(axis=1)
    nameless = rows["village_name"].isna() & rows["village_id"].isna()
    repeated = rows.duplicated() & ~nameless
    first = {
        tuple(row): label for label, row in reversed(list(zip(rows.index, rows.to_numpy(), strict=True)))
    }
    notes = [
        doubts.note(
            "row_repeated",
            label,
            f"lặp lại nguyên văn dòng {first[tuple(rows.loc[label])]}, bỏ qua",
            f"repeats row {first[tuple(rows.loc[label])]} word by word and is left out",
        )
        for label in rows.index[repeated]
    ]
    notes += doubts.notes(
        "name_missing", nameless & place_known, "không có tên thôn", "the village has no name"
    )
    notes += doubts.notes(
        "row_without_village",
        nameless & ~place_known,
        "không có tên, mã và toạ độ nên không phải một thôn, bỏ qua",
        "has no name, id or coordinates, so it is no village and is left out",
    )
    return rows[~repeated & (~nameless | place_known)], notes


def located(
    rows: pd.DataFrame, crs: str | None, path: Path, doubts: Doubts
) -> tuple[pd.DataFrame, list[Note]]:
    """lat, lon (WGS 84, NaN = not known) of each row, and a note for each that is missing, unreadable or swapped."""
    notes: list[Note] = []
    named = rows["lat"].notna() | rows["lon"].notna()
    found = {
        column: rows[column].map(coordinate, na_action="ignore").astype(float)
        for column in ("lat", "lon", "x", "y")
    }
    for column, values in found.items():
        notes += doubts.unread(rows[column], rows[column].notna() & values.isna())
    pairs = rows["coordinates"].map(lambda text: pair(text) if isinstance(text, str) else (float("nan"),) * 2)
    first, second = (
        pd.Series([two[side] for two in pairs], index=rows.index, dtype=float) for side in (0, 1)
    )
    notes += doubts.unread(rows["coordinates"], rows["coordinates"].notna() & first.isna())
    by_name = place(found["lat"], found["lon"], named=True, crs=crs, path=path)
    by_order = place(found["x"].fillna(first), found["y"].fillna(second), named=False, crs=crs, path=path)
    places = _without_shared(by_name.where(named, by_order))
    return places.astype({"lat": float, "lon": float}), notes + _position_notes(places, doubts)


def _without_shared(places: pd.DataFrame) -> pd.DataFrame:
    # A list that was located by commune puts all villages at one point: its tests would speak for all of them.
    known = places["lat"].notna()
    many = known & (places.groupby(["lat", "lon"])["lat"].transform("size") >= _SHARED_BY)
    return places.assign(
        lat=places["lat"].mask(many), lon=places["lon"].mask(many), fault=places["fault"].mask(many, "shared")
    )


def _position_notes(places: pd.DataFrame, doubts: Doubts) -> list[Note]:
    known = places["lat"].notna()
    twin = known & places.duplicated(["lat", "lon"])
    missing = ~known & places["fault"].isna()
    reasons = [
        ("coordinates_swapped", places["fault"].eq("swapped"), "vĩ độ và kinh độ bị đảo, đã đọc ngược lại", "latitude and longitude are swapped; read the other way round"),
        ("coordinates_off", places["fault"].eq("off"), "toạ độ ngoài Trái Đất hoặc bằng 0, coi như không rõ", "the coordinates are off the globe or 0; they count as missing"),
        ("coordinates_half", places["fault"].eq("half"), "chỉ có một trong hai toạ độ, coi như không rõ", "one coordinate of two; both count as missing"),
        ("coordinates_shared", places["fault"].eq("shared"), f"toạ độ này được ghi cho {_SHARED_BY} thôn trở lên nên không phải vị trí của thôn, coi như không rõ", f"{_SHARED_BY} or more villages have these coordinates: they are not where it is, and count as missing"),
        ("same_coordinates", twin, "trùng toạ độ với một thôn ở trên", "has the coordinates of a village above"),
    ]  # fmt: skip
    notes = [note for code, bad, vi, en in reasons for note in doubts.notes(code, bad, vi, en)]
    if missing.all() and len(missing):
        vi, en = "không thôn nào có toạ độ", "no village has coordinates"
        return [*notes, Note("coordinates_missing", "", f"{doubts.file}: {vi}.", f"{doubts.file}: {en}.")]
    return notes + doubts.notes("coordinates_missing", missing, "không có toạ độ", "has no coordinates")


def same_names(rows: pd.DataFrame, doubts: Doubts) -> list[Note]:
    """A note for each village whose name, whatever its spelling, stands above in the same commune."""
    named = rows[rows["village_name"].notna()]
    commune = commune_keys(named)
    keys = pd.DataFrame({"name": named["village_name"].map(place_key), "commune": commune})
    vi, en = (
        "trùng tên với một thôn ở trên trong cùng xã",
        "has the name of a village above in the same commune",
    )
    return doubts.notes("village_repeated", keys.duplicated(), vi, en)
