"""The workspace: the one folder that holds archive, places, criteria and snapshots."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import orjson
from sqlalchemy import select

from coverage import criteria as rules
from coverage.archive.disk import refuse_network
from coverage.archive.durable import create_durably, fsync, write_durably
from coverage.archive.manifest import prepare, reading
from coverage.archive.schema import UPLOADS
from coverage.errors import ArchiveDamaged, InputError, NotFound


@dataclass(frozen=True)
class Workspace:
    """Where everything of one area is kept; nothing outside `root` is ever written."""

    root: Path
    manifest_url: str | None = None

    @property
    def manifest(self) -> str:
        """The SQLAlchemy URL of the manifest, which says which uploads, deliveries, jobs and snapshots exist."""
        return self.manifest_url or f"sqlite:///{self.manifest_file}"

    @property
    def manifest_file(self) -> Path:
        """The manifest's SQLite file; not there where a URL names another database."""
        return self.root / "archive" / "manifest.sqlite"

    @property
    def manifest_kind(self) -> str:
        """The kind of the manifest's database: sqlite or postgresql."""
        return self.manifest.partition(":")[0].partition("+")[0]

    @property
    def identity_file(self) -> Path:
        """The file by which folder and manifest know each other."""
        return self.root / "archive" / "workspace.json"

    @property
    def parts(self) -> Path:
        """The folder of immutable Parquet parts."""
        return self.root / "archive" / "parts"

    @property
    def incoming(self) -> Path:
        """The folder in which the service keeps files while they arrive."""
        return self.root / "archive" / "incoming"

    @property
    def places(self) -> Path:
        """The folder of the places layers, as Parquet."""
        return self.root / "places"

    @property
    def snapshots(self) -> Path:
        """The folder of snapshots, one folder each."""
        return self.root / "snapshots"

    @property
    def downloads(self) -> Path:
        """The folder of files that were made of snapshots for whoever asked, one folder each; it may not be there yet."""
        return self.root / "downloads"

    @property
    def ground(self) -> Path:
        """The folder of what is kept of the lie of the land, one folder each; it may not be there yet."""
        return self.root / "ground"

    @property
    def mappings(self) -> Path:
        """The folder of the saved mappings; it may not be there yet."""
        return self.root / "mappings"

    @property
    def criteria_file(self) -> Path:
        """The criteria in force."""
        return self.root / "criteria.toml"

    @property
    def criteria(self) -> rules.Criteria:
        """The criteria in force; raises `CriteriaRefused`."""
        return rules.load(self.criteria_file)

    @property
    def device_key(self) -> bytes:
        """The secret under which device names are hashed; it never leaves the workspace."""
        return bytes.fromhex(self.device_key_file.read_text(encoding="ascii").strip())

    @property
    def device_key_file(self) -> Path:
        """Where that secret is kept."""
        return self.root / "device.key"


def open_workspace(
    root: Path, criteria_text: str | None = None, manifest_url: str | None = None
) -> Workspace:
    """The workspace in a folder, laid out where it is new.

    `criteria_text` replaces the criteria in force; a new workspace without it gets the default rules.
    `manifest_url`: a SQLAlchemy URL (postgresql+psycopg://…) of a database of its own for the manifest; without
    it a SQLite file in the folder. Raises `CriteriaRefused`, and `InputError` where the folder and the manifest
    do not belong together; then nothing was changed.
    """
    workspace = Workspace(root.absolute(), manifest_url)  # it stays where it is, wherever the process goes
    if criteria_text is not None:
        rules.parse(criteria_text, "criteria")
    if workspace.manifest_kind == "sqlite":
        refuse_network(workspace.root)
    for folder in (workspace.parts, workspace.incoming, workspace.places, workspace.snapshots):
        folder.mkdir(parents=True, exist_ok=True)
    prepare(workspace.manifest, _identity(workspace))
    if criteria_text is None and not workspace.criteria_file.exists():
        _require_new(workspace, workspace.criteria_file)
    if criteria_text is not None or not workspace.criteria_file.exists():
        text = rules.default_text() if criteria_text is None else criteria_text
        write_durably(workspace.criteria_file, text.encode())
    if not workspace.device_key_file.exists():
        _require_new(workspace, workspace.device_key_file)
        create_durably(workspace.device_key_file, secrets.token_hex(32).encode())
    fsync(workspace.root)  # whoever laid it out may have been stopped before the names were on the disk
    return workspace


def _require_new(workspace: Workspace, missing: Path) -> None:
    """Raise `ArchiveDamaged` where uploads count on what is missing: another in its place would change what they say."""
    with reading(workspace.manifest) as connection:
        used = connection.execute(select(UPLOADS.c.upload_id).limit(1)).first() is not None
    if used:
        raise ArchiveDamaged(
            f"Thiếu {missing}, mà kho đã có số liệu: hãy chép lại tệp ấy từ bản sao lưu.",
            f"{missing} is missing, and the archive holds measurements: put the file back from a backup.",
        )


def existing_workspace(root: Path, manifest_url: str | None = None) -> Workspace:
    """The workspace in a folder as it is: nothing is laid out, mended or checked.

    Raises `NotFound` where the folder is no workspace, `InputError` where its manifest is elsewhere, `ArchiveDamaged`.
    """
    workspace = Workspace(root.absolute(), manifest_url)
    if not (workspace.root / "archive").is_dir():
        raise NotFound(
            f"{workspace.root} không phải thư mục làm việc của Phủ Sóng. Hãy chỉ đúng thư mục bằng -w hoặc PHUSONG_WORKSPACE, "
            "hoặc tạo mới: phusong init",
            f"{workspace.root} is no workspace of Phủ Sóng. Name the right folder with -w or PHUSONG_WORKSPACE, or lay out a "
            "new one: phusong init",
        )
    if workspace.identity_file.exists():
        identity(workspace)
    return workspace


def identity(workspace: Workspace) -> str:
    """The workspace's own id. Raises `InputError` where it keeps its manifest elsewhere, `ArchiveDamaged`."""
    file = workspace.identity_file
    try:
        about = orjson.loads(file.read_bytes())
        said, manifest = str(about["workspace"]), str(about["manifest"])
    except (ValueError, KeyError, TypeError) as fault:
        raise ArchiveDamaged(
            f"Không đọc được {file}: hãy khôi phục từ bản sao lưu.",
            f"{file} cannot be read: restore it from a backup.",
        ) from fault
    if manifest != workspace.manifest_kind:
        raise InputError(
            f"Sổ ghi của thư mục {workspace.root} ở {manifest}, không ở {workspace.manifest_kind}: xem PHUSONG_MANIFEST.",
            f"The manifest of {workspace.root} is in {manifest}, not in {workspace.manifest_kind}: see PHUSONG_MANIFEST.",
        )
    return said


def _identity(workspace: Workspace) -> str:
    """The workspace's own id, made where it is new."""
    if not workspace.identity_file.exists():
        about = {"workspace": secrets.token_hex(8), "manifest": workspace.manifest_kind}
        create_durably(workspace.identity_file, orjson.dumps(about))
    fsync(workspace.identity_file.parent)  # before the manifest speaks of it, whoever made it
    return identity(workspace)
