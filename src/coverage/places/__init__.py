"""Communes, villages, clusters and power → villages with provenance."""
