"""The lists of a snapshot as collections of features: which there are, which rows of them are asked for, in which CRS.

snapshot ──► collections ──► queries (bbox, time, properties, CQL2) ──► a page of rows ──► GeoJSON
"""
