"""The disk under a workspace: how much of it stays free, and that it is this machine's own.

Below the floor nothing new is taken in, so that what is there can still be judged.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from coverage.errors import DiskFull, InputError
from coverage.settings import get_settings

MB = 1_000_000
# SQLite's log in shared memory works within one machine; over the network two writers may both believe to be alone.
_NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.sshfs",
    }
)


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


def refuse_network(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> None:
    """Raise `InputError` where the folder is on a network file system; where `mounts` is absent (no Linux) nobody knows."""
    kind = _file_system(folder.resolve(), mounts.read_text(encoding="utf-8")) if mounts.exists() else None
    if kind in _NETWORK:
        raise InputError(
            f"{folder} nằm trên ổ mạng ({kind}); sổ ghi SQLite ở đó có thể hỏng. Hãy dùng ổ đĩa của chính máy này, "
            "hoặc đặt sổ ghi trong PostgreSQL (PHUSONG_MANIFEST).",
            f"{folder} is on a network file system ({kind}), where a manifest in SQLite may be damaged. Use a disk of this "
            "machine, or keep the manifest in PostgreSQL (PHUSONG_MANIFEST).",
        )


def _file_system(folder: Path, mountinfo: str) -> str | None:
    """The kind of file system that holds a folder, from the text of Linux's mountinfo; of several the last mounted."""
    found, kind = -1, None
    for line in mountinfo.splitlines():
        fields, _, after = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda escaped: chr(int(escaped[1], 8)), fields.split()[4]))
        if folder.is_relative_to(point) and len(point.parts) >= found:
            found, kind = len(point.parts), after.split()[0]
    return kind
