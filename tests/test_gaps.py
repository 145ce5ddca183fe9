"""Places' verdicts → villages: statuses, not-spots, power at the dead place, lists, priority, reasons."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from measurements import places_without_raster, rules

from coverage import gaps, surroundings, surveys, tables

OPERATORS = ["45201", "45204"]
DEAD, FINE, POOR, OPEN, NONE = "dead_zone", "covered", "below_standard", "not_enough_evidence", "no_data"


NO_SITES = pd.DataFrame(
    {"village_id": [], "operator": [], "site_id": [], "site_distance_km": [], "site_terrain_blocks": [],
     "planned_site_id": [], "planned_site_distance_km": [], "planned_on_air": []}
).astype({"village_id": object, "operator": object})  # fmt: skip
NAMES = dict.fromkeys(
    [
        "place_id",
        *[
            name
            for name in tables.PLACE_VERDICTS.names
            if name not in {"place_id", "village_id", "kind", "expired_tests", "fcc_grade"}
        ],
    ]
)
KEY = {"place_id": [], "operator": []}
NOTHING_EXPIRED = pd.DataFrame(KEY | {"expired_tests": []}).astype({"place_id": object, "operator": object})
NO_BADGES = pd.DataFrame(KEY | {"fcc_grade": []}).astype({"place_id": object, "operator": object})


def village_frame(**given: object) -> gpd.GeoDataFrame:
    values = {
        "village_id": "v1", "village_name": "Thôn 1", "commune_code": "24823", "commune_name": "Xã A",
        "centre_lat": 11.0, "centre_lon": 108.0, "households": 100.0, "population": 400.0,
        "especially_difficult": None, "source": "t", "boundary": "given", "population_source": "list",
    } | given  # fmt: skip
    return gpd.GeoDataFrame([values], geometry=[shapely.box(108, 11, 108.02, 11.02)], crs=4326)


def clusters(*households: float, grid: tuple = ()) -> pd.DataFrame:
    names = [f"k{i + 1}" for i in range(len(households))]
    grids = list(grid) or [None] * len(households)
    columns = {"village_id": "v1", "cluster_id": names, "lat": 11.0, "lon": 108.0, "households": households}
    frame = pd.DataFrame(columns | {"grid": grids}, index=range(len(names)))
    return frame.astype({"village_id": object, "cluster_id": object, "households": float})


def evidence(verdicts: dict[tuple[str, str], str]) -> pd.DataFrame:
    rows = [
        {
            "place_id": f"v1/{place}", "operator": operator, "tests": 6, "fails": 6 if what == DEAD else 0,
            "effective_tests": 6.0, "effective_fails": 6.0 if what == DEAD else 0.0, "devices": 3, "occasions": 3,
            "dates": 2, "fail_devices": 2, "fail_dates": 2, "fail_hexes": 2, "outage_tests": 0,
            "first_test_utc": pd.Timestamp("2026-05-01"), "last_test_utc": pd.Timestamp("2026-06-01"),
            "median_rsrp_dbm": -120.0, "no_service_share": 0.5, "evidence_grade": "B", "p_dead": 0.99,
            "verdict": what, "verdict_at_105": what, "verdict_at_121": what, "verdict_voice": what,
            "verdict_data_good": what, "vehicle_tests": 0, "pre_change_tests": 0, "positive_only_tests": 0,
            "sub_reason": "mixed" if what == OPEN else None,
        }
        for (place, operator), what in verdicts.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[*NAMES])


def power(status: str = "national_grid", electrified: bool | None = True) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "grid_status": [status],
            "electrified": [electrified],
            "power_source": ["list"],
            "power_as_of": [None],
            "power_evidence": ["official_list"],
            "power_conflict": [None],
        },
        index=pd.Index(["v1"], name="village_id"),
    )


def completed(found: pd.DataFrame, places: pd.DataFrame, operators: list[str]) -> pd.DataFrame:
    return gaps.with_history(gaps.complete(found, places, operators), NOTHING_EXPIRED, NO_BADGES)


def judge(
    verdicts: dict[tuple[str, str], str],
    homes: pd.DataFrame,
    supply: pd.DataFrame | None = None,
    villages: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    frame = village_frame() if villages is None else villages
    rows = completed(evidence(verdicts), places_without_raster(frame, homes), OPERATORS)
    found = gaps.village_verdicts(frame, rows, power() if supply is None else supply, rules(), OPERATORS)
    found = gaps.ranked(found, rules())
    nothing = [
        tables.schema(table).empty_table().to_pandas() for table in (tables.PLACE_HEXES, tables.PREDICTIONS)
    ]
    ranked = surveys.survey_ranking(found, rows, *nothing)
    found = found.merge(ranked, on=["village_id", "operator"], how="left").astype({"survey_rank": "Int64"})
    alone = surroundings.described(found, pd.Series(None, index=found.index, dtype=object), NO_SITES)
    return tables.check_frame(tables.VILLAGE_VERDICTS, alone).set_index("operator")


def places(operator: str, centre: str, *homes: str) -> dict[tuple[str, str], str]:
    named = {("centre", operator): centre} | {(f"c/k{i + 1}", operator): what for i, what in enumerate(homes)}
    return {key: what for key, what in named.items() if what != NONE}


@pytest.mark.parametrize(
    ("centre", "homes", "status"),
    [
        (DEAD, (FINE, FINE), "trang_song"),
        (DEAD, (NONE, NONE), "trang_song"),
        (FINE, (DEAD, FINE), "lom_song"),
        (NONE, (DEAD, NONE), "lom_song"),
        (OPEN, (FINE, DEAD), "lom_song"),
        (FINE, (FINE, FINE), "phu_song"),
        (FINE, (FINE, OPEN), "chua_du_bang_chung"),
        (NONE, (FINE, FINE), "chua_du_bang_chung"),
        (POOR, (FINE, FINE), "chua_du_bang_chung"),
        (NONE, (NONE, NONE), "chua_co_du_lieu"),
    ],
)
def test_status_of_a_village(centre: str, homes: tuple, status: str) -> None:
    found = judge(places("45204", centre, *homes) | places("45201", FINE, FINE, FINE), clusters(50.0, 50.0))
    assert found.loc["45204", "status"] == status
    assert found.loc["45201", "status"] == "phu_song"


@pytest.mark.parametrize(("small", "status"), [(5.0, "phu_song"), (6.0, "chua_du_bang_chung")])
def test_phu_song_needs_ninety_five_percent_of_households(small: float, status: str) -> None:
    found = judge(places("45204", FINE, FINE, OPEN), clusters(100.0 - small, small))
    assert found.loc["45204", "status"] == status


def test_a_centre_nobody_named_does_not_block_phu_song() -> None:
    bare = village_frame(centre_lat=None, centre_lon=None).astype({"centre_lat": float, "centre_lon": float})
    found = judge({("c/k1", "45204"): FINE}, clusters(50.0), villages=bare)
    assert found.loc["45204", "status"] == "phu_song"


def test_without_clusters_the_polygon_stands_for_the_homes_and_the_reason_says_so() -> None:
    found = judge({("centre", "45204"): FINE, ("polygon", "45204"): DEAD}, clusters())
    row = found.loc["45204"]
    assert (row["status"], row["basis"]) == ("lom_song", "polygon")
    assert "chưa rõ cụm dân cư" in row["reason"]
    assert "clusters unknown" in row["reason_en"]


@pytest.mark.parametrize(
    ("other", "not_spot", "overall"),
    [
        (DEAD, "total", "trang_song"),
        (FINE, "partial", "phu_song"),
        (POOR, "undetermined", "chua_du_bang_chung"),
        (OPEN, "undetermined", "chua_du_bang_chung"),
        (NONE, "undetermined", "chua_du_bang_chung"),
    ],
)
def test_an_untested_operator_blocks_total(other: str, not_spot: str, overall: str) -> None:
    found = judge(places("45204", DEAD, DEAD) | places("45201", other, other), clusters(50.0))
    assert found.loc["45204", "not_spot"] == not_spot
    assert found.loc["45204", "status_all_operators"] == overall


def test_two_operators_dead_at_different_clusters_are_no_total_not_spot() -> None:
    found = judge(places("45204", FINE, DEAD, FINE) | places("45201", FINE, FINE, DEAD), clusters(50.0, 50.0))
    assert found["not_spot"].tolist() == ["partial", "partial"]
    assert found["status_all_operators"].unique().tolist() == ["phu_song"]


@pytest.mark.parametrize(
    ("supply", "listed", "who"),
    [
        (power(), "gaps", "operator"),
        (power("none", False), "no_power", "power_utility"),
        (power("unknown", None), "verify_power", "verify_power"),
        (power("national_grid", None), "verify_power", "verify_power"),
    ],
)
def test_power_decides_the_list_of_a_dead_village(supply: pd.DataFrame, listed: str, who: str) -> None:
    found = judge(places("45204", DEAD, DEAD), clusters(50.0), supply).loc["45204"]
    assert (found["list"], found["who_must_act"]) == (listed, who)


@pytest.mark.parametrize(
    ("grid", "listed"),
    [((True, False), "no_power"), ((True, True), "gaps"), ((False, None), "gaps"), ((None, True), "gaps")],
)
def test_power_is_judged_at_the_dead_cluster_where_it_is_known(grid: tuple, listed: str) -> None:
    found = judge(places("45204", FINE, FINE, DEAD), clusters(50.0, 50.0, grid=grid)).loc["45204"]
    assert found["list"] == listed


def test_especially_difficult_villages_go_to_the_public_fund() -> None:
    hard = village_frame(especially_difficult=True)
    found = judge(places("45204", DEAD, DEAD), clusters(50.0), villages=hard).loc["45204"]
    assert found["who_must_act"] == "operator_with_public_fund"


def test_unmeasured_villages_are_to_be_measured_and_never_a_gap() -> None:
    found = judge({}, clusters(50.0))
    assert found["status"].unique().tolist() == ["chua_co_du_lieu"]
    assert found["list"].unique().tolist() == ["need_measurement"]
    assert found["not_spot"].isna().all()
    assert "không có nghĩa là không có sóng" in found["reason"].iloc[0]


def test_weak_service_is_an_answer_and_not_sent_to_be_measured_again() -> None:
    found = judge(places("45204", POOR, FINE), clusters(50.0)).loc["45204"]
    assert (found["sub_reason"], found["list"]) == ("weak_service", None)
    assert "có sóng nhưng yếu" in found["reason"]


def test_people_affected_are_those_of_the_dead_clusters() -> None:
    found = judge(places("45204", FINE, DEAD, FINE), clusters(25.0, 75.0)).loc["45204"]
    assert (found["dead_share"], found["population_affected"]) == (0.25, 100.0)
    assert (found["households_affected"], found["population_undecided"]) == (25.0, 0.0)
    assert found["dead_places"] == "v1/c/k1"


def test_who_lives_at_undecided_places_may_be_affected_too() -> None:
    found = judge(places("45204", FINE, DEAD, OPEN, NONE, FINE), clusters(25.0, 25.0, 10.0, 40.0)).loc[
        "45204"
    ]
    assert (found["population_affected"], found["population_undecided"]) == (100.0, 140.0)


def test_priority_counts_gaps_from_one() -> None:
    found = judge(places("45204", DEAD, DEAD, DEAD) | places("45201", FINE, FINE, DEAD), clusters(50.0, 50.0))
    assert found["priority"].to_dict() == {"45204": 1, "45201": 2}


def test_reasons_name_the_tests_and_the_weakness() -> None:
    found = judge(places("45204", DEAD, DEAD) | places("45201", OPEN, OPEN), clusters(50.0))
    assert found.loc["45204", "reason"].startswith(
        "Viettel: trung tâm thôn không có sóng dùng được (6/6 lần thử"
    )
    assert "on the national grid" in found.loc["45204", "reason_en"]
    assert "trái ngược" in found.loc["45201", "reason"]


def test_a_network_out_of_scope_is_nobodys_survey() -> None:
    frame = village_frame()
    rows = completed(
        evidence(places("45204", FINE, FINE)),
        places_without_raster(frame, clusters(50.0)),
        ["45204", "45601"],
    )
    found = gaps.village_verdicts(frame, rows, power(), rules(), ["45204"]).set_index("operator")
    assert found.loc["45601", "status"] == "chua_co_du_lieu"
    assert found.loc["45601", "list"] is None


def test_a_dead_centre_with_power_and_dead_clusters_without_is_to_be_verified() -> None:
    homes = clusters(50.0, 50.0, grid=(False, True))
    found = judge(places("45204", DEAD, DEAD, FINE), homes).loc["45204"]
    assert (found["status"], found["list"], found["grid_status"]) == ("trang_song", "verify_power", "unknown")
    found = judge(places("45204", FINE, DEAD, FINE), homes).loc["45204"]
    assert (found["status"], found["list"], found["power_source"]) == ("lom_song", "no_power", "clusters")


def test_power_at_the_cluster_never_borrows_the_source_of_the_village() -> None:
    hint = power("national_grid", None).assign(power_source="VIIRS", power_as_of=pd.Timestamp("2024-01-01"))
    found = judge(places("45204", FINE, DEAD), clusters(50.0, grid=(True,)), hint).loc["45204"]
    assert (found["electrified"], found["power_source"]) == (True, "clusters")
    assert pd.isna(found["power_as_of"])
    listed = judge(places("45204", FINE, DEAD), clusters(50.0, grid=(True,)), power()).loc["45204"]
    assert (listed["electrified"], listed["power_source"]) == (True, "list")


def test_all_people_count_where_only_the_centre_was_found_dead() -> None:
    frame = pd.concat(
        [
            village_frame(),
            village_frame(village_id="v2", population=90.0),
        ],
        ignore_index=True,
    )
    both = evidence(places("45204", DEAD, FINE))
    other = both.assign(place_id=both["place_id"].str.replace("v1/", "v2/"))
    homes = pd.concat([clusters(50.0), clusters(50.0).assign(village_id="v2")], ignore_index=True)
    supply = pd.concat([power(), power().set_axis(pd.Index(["v2"], name="village_id"))])
    rows = completed(pd.concat([both, other]), places_without_raster(frame, homes), ["45204"])
    judged = gaps.village_verdicts(frame, rows, supply, rules(), ["45204"])
    found = gaps.ranked(judged, rules()).set_index("village_id")
    assert found["population_affected"].isna().all()
    around = gaps.village_verdicts(frame, rows.assign(share_around=0.6), supply, rules(), ["45204"])
    assert around.set_index("village_id")["population_affected"].to_dict() == {"v1": 240.0, "v2": 54.0}
    assert found["priority"].to_dict() == {"v1": 1, "v2": 2}


def test_a_dead_network_out_of_scope_accuses_nobody() -> None:
    frame, both = village_frame(), places("45204", FINE, FINE) | places("45601", DEAD, DEAD)
    rows = completed(evidence(both), places_without_raster(frame, clusters(50.0)), ["45204", "45601"])
    found = gaps.village_verdicts(frame, rows, power(), rules(), ["45204"]).set_index("operator")
    assert found.loc["45601", "status"] == "trang_song"
    assert found.loc["45601", ["list", "who_must_act"]].isna().all()
