"""Old and present communes: the links of the merger, and what a code and a name mean together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from coverage import tables
from coverage.errors import PlacesRefused
from coverage.places.communes import read_communes
from coverage.places.communes.links import packaged_links, read_links
from coverage.places.communes.meaning import resolve

LINKS = "boundaries/lamdong_old_new_communes.csv"
COMMUNES = "boundaries/lamdong_2025_communes_124_simplified.geojson"
DISTRICTS = "boundaries/dvhcvn_districts_pre2025_68_67_60.geojson"
CENSUS = "census/census2019_households_3provinces.csv"
# Old 00001 was split over two; old 00002 "Phong Phú" went to 00005, and 00002 is "Tuy Phong" now; 00003 stayed.
TABLE = """new_code,new_name,old_code,old_name,type
00001,Xã Hòa Thắng,00001,Xã Hòa Thắng,partial
00004,Xã Hồng Thái,00001,Xã Hòa Thắng,partial
00005,Xã Phan Rí Cửa,00002,Xã Phong Phú,full
00002,Xã Tuy Phong,00007,Xã Phước Thể,full
00003,Phường 7,00003,Phường 7,full
00003,Phường 7,00008,Phường 8,full
"""
NAMES = {
    "00001": "Xã Hoà Thắng",
    "00002": "Xã Tuy Phong",
    "00003": "Phường 7",
    "00004": "Xã Hồng Thái",
    "00005": None,
}


@pytest.fixture
def links(tmp_path: Path) -> pd.DataFrame:
    (tmp_path / "links.csv").write_text(TABLE, encoding="utf-8")
    return read_links(tmp_path / "links.csv")[0]


@pytest.fixture
def communes() -> gpd.GeoDataFrame:
    """Five squares side by side, commune 0000n from longitude 108 + n on."""
    boxes = [shapely.box(108 + int(code), 11, 109 + int(code), 12) for code in NAMES]
    rows = {"commune_code": list(NAMES), "commune_name": list(NAMES.values()), "source": "t"}
    return gpd.GeoDataFrame(rows, geometry=boxes, crs=4326)


def villages(*rows: tuple[str | None, str | None, int | None]) -> gpd.GeoDataFrame:
    """Villages v0, v1, …: commune code, commune name, and the number of the commune whose middle they lie in."""
    codes, names, where = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {
            "village_id": [f"v{number}" for number in range(len(rows))],
            "commune_code": pd.Series(codes, dtype=object),
            "commune_name": pd.Series(names, dtype=object),
            "commune_code_given": pd.Series([None] * len(rows), dtype=object),
            "centre_lat": [float("nan") if one is None else 11.5 for one in where],
            "centre_lon": [float("nan") if one is None else 108.5 + one for one in where],
        },
        geometry=[None] * len(rows),
        crs=4326,
    )


@pytest.mark.parametrize(
    ("code", "name", "where", "present", "note"),
    [
        ("00003", "Phường 7", None, "00003", None),
        ("00003", "phường 07", None, "00003", None),
        ("00003", "7", None, "00003", None),
        ("00008", "Phường 8", None, "00003", "old_commune"),
        ("00008", None, None, "00003", "old_commune"),
        ("00003", None, None, "00003", None),  # both meanings of the number lead there
        ("00002", "Phong Phú", None, "00005", "old_commune"),
        ("00002", "Tuy Phong", None, "00002", None),
        ("00002", None, None, None, "commune_open"),  # old or present?
        ("00002", None, 5, "00005", "commune_by_place"),
        ("00002", None, 2, "00002", None),
        ("00002", None, 3, None, "commune_open"),
        ("00001", "Hoà Thắng", None, None, "commune_open"),  # split
        ("00001", "Hoà Thắng", 4, "00004", "commune_by_place"),
        ("00001", "Hoà Thắng", 1, "00001", None),
        (None, "Xã Phước Thể", None, "00002", "old_commune"),
        (None, "Xã Tuy Phong", None, "00002", None),
        (None, "Xã Không Có", None, None, "unknown_commune"),
        (None, None, 1, None, None),
        ("99999", None, None, "99999", "unknown_commune"),
        ("99999", "Tuy Phong", None, "99999", "unknown_commune"),  # a name comes back elsewhere
        ("99999", "Tuy Phong", 2, "00002", "commune_by_place"),
        ("00008", "Tên khác", None, "00003", "commune_contradiction"),  # nobody else has that name
        ("00008", "Tuy Phong", None, None, "commune_contradiction"),
        ("00008", "Tuy Phong", 2, "00002", "commune_contradiction"),
        ("00008", "Tuy Phong", 3, "00003", "commune_contradiction"),
    ],
)
def test_a_code_means_what_the_name_or_the_place_beside_it_says(
    links: pd.DataFrame, communes: gpd.GeoDataFrame, code: str, name: str, where: int, present: str, note: str
) -> None:
    found, notes = resolve(villages((code, name, where)), links, communes)
    one = found.iloc[0]
    assert (None if pd.isna(one["commune_code"]) else one["commune_code"]) == present
    kept = code if code is not None and code != present else None
    assert (None if pd.isna(one["commune_code_given"]) else one["commune_code_given"]) == kept
    assert [told.code for told in notes] == ([] if note is None else [note])


def test_resolving_again_changes_nothing(links: pd.DataFrame, communes: gpd.GeoDataFrame) -> None:
    once, _ = resolve(villages(("00008", "Phường 8", 3), ("00003", None, 3)), links, communes)
    again, _ = resolve(once.assign(commune_name=None), links, communes)
    assert again["commune_code"].tolist() == once["commune_code"].tolist()
    assert again["commune_code_given"].iloc[0] == "00008"


def test_an_open_commune_names_its_candidates(links: pd.DataFrame, communes: gpd.GeoDataFrame) -> None:
    _, (note,) = resolve(villages(("00001", "Xã Hoà Thắng", None)), links, communes)
    assert "00001 Xã Hoà Thắng, 00004 Xã Hồng Thái" in note.vi


def test_links_are_read_in_vietnamese_and_a_split_is_known_without_its_mark(tmp_path: Path) -> None:
    text = "Mã xã cũ;Tên xã cũ;Mã xã mới;Tên xã mới\n1;Xã A;2;Xã B\n1;Xã A;3;Xã C\n4;Xã D;2;Xã B\n"
    (tmp_path / "l.csv").write_text(text, encoding="utf-8")
    found = tables.check_frame(tables.COMMUNE_LINKS, read_links(tmp_path / "l.csv")[0])
    assert found[["old_code", "new_code", "partial"]].to_numpy().tolist() == [
        *(["00001", "00002", True], ["00001", "00003", True], ["00004", "00002", False]),
    ]


@pytest.mark.parametrize(
    ("row", "says"), [("1,,2,B,full", "row 2.*missing"), ("1,A,2,B,half", "row 2.*full or partial")]
)
def test_links_that_say_nothing_clear_are_refused(tmp_path: Path, row: str, says: str) -> None:
    (tmp_path / "l.csv").write_text(f"old_code,old_name,new_code,new_name,type\n{row}\n", encoding="utf-8")
    with pytest.raises(PlacesRefused, match=says):
        read_links(tmp_path / "l.csv")


def test_the_packaged_links_are_of_the_contract_and_of_the_whole_country() -> None:
    found = tables.check_frame(tables.COMMUNE_LINKS, packaged_links())
    assert len(found) == 10_597
    assert found["new_code"].nunique() == 3_321 - 5  # five islands had no communes
    assert not found.duplicated(["old_code", "new_code"]).any()
    split = found[found["old_code"] == "22978"]
    assert split["partial"].all()
    assert split["new_code"].tolist() == ["22972", "22978"]


def named(codes: pd.Series, names: pd.Series) -> gpd.GeoDataFrame:
    return villages(*((code, name, None) for code, name in zip(codes, names, strict=True)))


@pytest.mark.realdata
def test_every_real_old_commune_becomes_a_present_one_or_is_a_split(real_data: Path) -> None:
    links, communes = read_links(real_data / LINKS)[0], read_communes(real_data / COMMUNES)
    assert (len(links), links["old_code"].nunique(), links["partial"].sum()) == (335, 333, 4)
    old = links.drop_duplicates("old_code")
    for names in (old["old_name"], pd.Series([None] * len(old))):
        found, notes = resolve(named(old["old_code"], names), links, communes)
        opened = {note.village_id for note in notes if note.code == "commune_open"}
        assert set(found.loc[found["commune_code"].isna(), "commune_code_given"]) == {"22978", "23053"}
        assert len(opened) == 2
        settled = found.dropna(subset="commune_code")
        assert len(settled) == 331
        became = dict(zip(links["old_code"], links["new_code"], strict=True))
        before = settled["commune_code_given"].fillna(settled["commune_code"])
        assert before.map(became).tolist() == settled["commune_code"].tolist()


@pytest.mark.realdata
def test_the_place_settles_the_real_splits(real_data: Path) -> None:
    links, communes = read_links(real_data / LINKS)[0], read_communes(real_data / COMMUNES)
    for old, present in (("22978", "22972"), ("22978", "22978"), ("23053", "23041"), ("23053", "23053")):
        name = links.loc[links["old_code"] == old, "old_name"].iloc[0]
        point = communes.set_index("commune_code").geometry[present].representative_point()
        one = villages((old, name, None)).assign(centre_lat=point.y, centre_lon=point.x)
        assert resolve(one, links, communes)[0]["commune_code"].tolist() == [present]


@pytest.mark.realdata
def test_the_package_agrees_with_the_file_on_all_but_four_old_codes(real_data: Path) -> None:
    links, packaged = read_links(real_data / LINKS)[0], packaged_links()
    pairs = set(zip(links["old_code"], links["new_code"], strict=True))
    known = set(zip(packaged["old_code"], packaged["new_code"], strict=True))
    assert {old for old, _ in pairs - known} == {"25102", "25174", "25177", "25186"}
    of_province = packaged[packaged["new_code"].isin(links["new_code"])]
    assert set(zip(of_province["old_code"], of_province["new_code"], strict=True)) <= pairs


@pytest.mark.realdata
def test_the_communes_of_the_census_without_tones_become_present_ones(real_data: Path) -> None:
    links, communes = read_links(real_data / LINKS)[0], read_communes(real_data / COMMUNES)
    census = pd.read_csv(real_data / CENSUS, dtype=str)
    found, notes = resolve(named(census["MAXA"], census["commune_name"]), links, communes)
    assert len(found) == 345
    assert found["commune_code"].isin(communes["commune_code"]).sum() == 330
    # Thirteen were merged between 2019 and 2025, two were split; four have another name since and keep their code.
    told = Counter(note.code for note in notes)
    assert (told["unknown_commune"], told["commune_open"], told["commune_contradiction"]) == (13, 2, 4)


@pytest.mark.realdata
def test_old_districts_and_present_communes_cover_the_same_ground(real_data: Path) -> None:
    links = read_links(real_data / LINKS)[0]
    districts, communes = gpd.read_file(real_data / DISTRICTS), gpd.read_file(real_data / COMMUNES)
    before = _areas_km2(districts.set_index(districts["level2_id"].astype(str)).geometry)
    after = _areas_km2(communes.set_index("code").geometry)
    assert before.sum() == pytest.approx(24_234.7, abs=0.1)
    assert after.sum() == pytest.approx(before.sum(), rel=0.001)
    census = pd.read_csv(real_data / CENSUS, dtype=str)
    district = links["old_code"].map(dict(zip(census["MAXA"], census["MAHUYEN"], strict=True)))
    pairs = links.assign(district=district).dropna(subset="district")
    groups = list(_groups(pairs["district"], pairs["new_code"]))
    assert len(groups) == 21
    for olds, news in groups:
        # The two sources draw another shore of La Gi and of the island Phú Quý.
        allowed = {"594": 0.04, "602": 0.19}.get(olds[0], 0.01)
        assert after[news].sum() == pytest.approx(before[olds].sum(), rel=allowed), olds


def _areas_km2(shapes: gpd.GeoSeries) -> pd.Series:
    geod = Geod(ellps="WGS84")
    return pd.Series(
        [abs(geod.geometry_area_perimeter(shape)[0]) / 1e6 for shape in shapes], index=shapes.index
    )


def _groups(olds: pd.Series, news: pd.Series):
    """Districts and communes that share ground with no other."""
    old_codes, old_index = np.unique(olds, return_inverse=True)
    new_codes, new_index = np.unique(news, return_inverse=True)
    size = len(old_codes) + len(new_codes)
    graph = coo_array((np.ones(len(olds)), (old_index, len(old_codes) + new_index)), shape=(size, size))
    count, labels = connected_components(graph, directed=False)
    for group in range(count):
        yield (
            list(old_codes[labels[: len(old_codes)] == group]),
            list(new_codes[labels[len(old_codes) :] == group]),
        )
