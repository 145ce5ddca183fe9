"""The floor of free disk: below it nothing new is taken in, so that what is there can still be judged."""

from __future__ import annotations

import shutil
from pathlib import Path

from coverage.errors import DiskFull
from coverage.settings import get_settings

MB = 1_000_000


def require_room(folder: Path, coming_bytes: int = 0) -> None:
    """Raise `DiskFull` where taking in so many bytes would leave less free disk than the floor of the settings."""
    floor = get_settings().free_disk_floor_mb * MB
    free = shutil.disk_usage(folder).free
    if free - coming_bytes < floor:
        raise DiskFull(
            f"Ổ đĩa của {folder} còn {free // MB} MB trống, cần thêm {coming_bytes // MB} MB và giữ lại {floor // MB} MB. "
            "Hãy dọn ổ đĩa rồi gửi lại; chưa có gì bị mất.",
            f"The disk of {folder} has {free // MB} MB free; {coming_bytes // MB} MB are coming and {floor // MB} MB are kept "
            "free. Make room and send again; nothing was lost.",
        )
