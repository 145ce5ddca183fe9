"""Communes, villages, people, power, sites and claims → tables with provenance.

sheets/        a table in any file → text cells that know their row
vector_files   a map layer → features in EPSG:4326, columns under our names
coordinates/   whether numbers mean the place that they are taken for, and which mistake explains it if not
communes/      boundaries; old and present codes
villages/      polygons, points or lists → villages; what a list says of clusters and power
settlements    clusters; the places of each village
territories    points → the ground nearest to them
rasters/       people, night lights, heights; terrain in a path
power/         who says that a village has electricity; lines and other hints
sites/, roads, declared, outages
"""
