"""Phủ Sóng: villages that have grid electricity and still have no usable mobile signal.

    field files ──► measurements ──► observations ──► hex verdicts ──┐
       logs/          archive/         evidence         evidence     ├──► village verdicts ──► gaps ──► exports/
    villages, communes, power ──► villages, crosswalk ───────────────┘          gaps           gaps
       places/                     places, crosswalk

Rooms, in import order (a file imports only from rooms before it):
errors, tables → criteria, settings → hexes → logs, places → crosswalk, engine → archive → evidence
→ gaps → exports → pipeline → service, cli. `simulate` stands apart: only cli, tests and benchmarks use it.
"""
