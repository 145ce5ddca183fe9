"""Rows that name a village without its id: the one village meant, or none."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverage.errors import PlacesRefused
from coverage.places.matching import match_villages
from coverage.places.settlements import read_clusters

KNOWN = pd.DataFrame(
    [
        ("a1", "Thôn 1", "24871", None, "Xã Đưng K'Nớ"),
        ("a2", "Buôn Đạ Nhar", "24871", "24769", "Xã Đưng K'Nớ"),
        ("b1", "Thôn 1", "24934", None, "Xã D'Ran"),
        ("b2", "Buôn Đạ Tông", "24934", None, "Xã D'Ran"),
        ("b3", "Thôn Đạ Tông", "24934", None, "Xã D'Ran"),
        ("c1", "Tổ dân phố 1", "24934", None, "Xã D'Ran"),
    ],
    columns=["village_id", "village_name", "commune_code", "commune_code_given", "commune_name"],
)


@pytest.mark.parametrize(
    ("name", "commune", "found"),
    [
        ("thôn 01", "Đưng KNớ", "a1"),
        ("Thôn 1", "24934", "b1"),
        ("Thôn 1", None, "ambiguous_village"),
        ("TDP 1", "DRan", "c1"),
        ("Đạ Nhar", None, "a2"),
        ("đạ nhar", "24769", "a2"),
        ("Đạ Nhar", "Xã D'Ran", "unknown_village"),
        ("Đạ Tông", "D'Ran", "ambiguous_village"),
        ("buôn Đạ Tông", "D'Ran", "b2"),
        ("Làng Đạ Tông", "D'Ran", "ambiguous_village"),
        ("Thôn 9", "24934", "unknown_village"),
        ("***", None, "unknown_village"),
    ],
)
def test_a_name_finds_its_one_village_or_none(name: str, commune: str | None, found: str) -> None:
    index = pd.Index([7], name="row")
    ids, notes = match_villages(
        pd.Series([name], index=index), pd.Series([commune], index=index), KNOWN, "t.csv"
    )
    if found in set(KNOWN["village_id"]):
        assert ids.tolist() == [found]
        assert not notes
    else:
        assert ids.isna().all()
        assert [(note.code, note.row) for note in notes] == [(found, 7)]
        assert "dòng 7" in notes[0].vi


@given(
    st.lists(
        st.sampled_from(["Thôn 1", "thon 01", "Buôn 1", "Đạ Tông", "Da Tong", ""]), min_size=1, max_size=5
    )
)
def test_between_two_that_fit_nothing_is_chosen(names: list[str]) -> None:
    villages = pd.DataFrame(
        {"village_id": range(len(names)), "village_name": names, "commune_code": "1", "commune_name": None}
    ).assign(village_id=lambda frame: frame["village_id"].astype(str), commune_code_given=None)
    asked = pd.Series(names, index=pd.RangeIndex(2, len(names) + 2, name="row"))
    ids, notes = match_villages(asked, asked.map(lambda _: "1"), villages, "t.csv")
    for number, (name, found) in enumerate(zip(names, ids, strict=True)):
        assert pd.isna(found) or found == str(number) or names[int(found)] != name
    assert len(notes) == ids.isna().sum()


def test_clusters_may_name_their_village_where_villages_are_known(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        "Tên thôn;Xã;Vĩ độ;Kinh độ\nĐạ Nhar;Đưng KNớ;11,9;108,4\nThôn 1;;11,8;108,4\nĐạ Nhar;Đưng KNớ;11,91;108,4\n",
        encoding="utf-8",
    )
    clusters, notes = read_clusters(path, gpd.GeoDataFrame(KNOWN))
    assert clusters[["village_id", "cluster_id"]].to_numpy().tolist() == [["a2", "k1"], ["a2", "k2"]]
    assert [(note.row, note.code) for note in notes] == [(3, "ambiguous_village")]
    with pytest.raises(PlacesRefused, match="add the villages first"):
        read_clusters(path)
