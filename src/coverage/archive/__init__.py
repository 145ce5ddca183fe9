"""Uploads, Parquet parts, the manifest and snapshots."""
