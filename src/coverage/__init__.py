"""Phủ Sóng: villages that have grid electricity and still have no usable mobile signal.

    field files ──► measurements ──► observations ──► hex verdicts ──┐
       logs/          archive/         evidence         evidence     ├──► village verdicts ──► gaps ──► exports/
    villages, people, power ──► villages, crosswalk, places ─────────┘          gaps         gaps, surroundings
       places/                   places, crosswalk, people

Rooms, in import order (a file imports only from rooms before it):
errors, tables → criteria, settings → hexes → logs, places → crosswalk, people, engine → archive → inputs → evidence
→ gaps → dead_areas → claims, roads, nearest_sites → exports → intake, pipeline → service, cli. `simulate` stands
apart: only cli, tests and benchmarks use it.
"""
