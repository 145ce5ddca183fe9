"""The only reader of the environment: variables with the prefix PHUSONG_, and one that a library asks for."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from coverage.errors import InputError

DUCKDB = "duckdb"
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~/-]*)?")
LogKind = Literal["json", "text", "off"]
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]")
_SECURE = re.compile(
    r"(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost|\[::1\]))(:\d+)?(/[!-~]{0,400})?"
)
_PLAIN = re.compile(r"[ -~]{1,1000}")  # what OAuth lets an id or a secret be made of
MBTILES, PMTILES = ".mbtiles", ".pmtiles"
_TILE_ADDRESS = re.compile(
    r"(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost|\[::1\]))(:\d+)?/([A-Za-z0-9._~/?&=@:%+-]|\{[xyz]\})*"
)
_LONGEST_ATTRIBUTION = 400
_CLUSTER = re.compile(r"spark://[^\s/,]+:\d+(,[^\s/,]+:\d+)*")


def _known_engine(url: str) -> str:
    if url != DUCKDB and not _CLUSTER.fullmatch(url):
        raise InputError(
            f"PHUSONG_ENGINE = “{url}”: phải là duckdb, hoặc spark://MÁY:CỔNG của một cụm Spark.",
            f"PHUSONG_ENGINE = “{url}”: it must be duckdb, or spark://HOST:PORT of a Spark cluster.",
        )
    return url


def _known_address(url: str | None) -> str | None:
    if url is not None and not _ADDRESS.fullmatch(url):
        raise InputError(
            f"PHUSONG_PUBLIC_URL = “{url}”: phải là http(s)://TÊN-MÁY[:CỔNG][/ĐƯỜNG-DẪN].",
            f"PHUSONG_PUBLIC_URL = “{url}”: it must be http(s)://HOST[:PORT][/PATH].",
        )
    return url


def _known_log(kind: str | None) -> str | None:
    if kind is not None and kind not in get_args(LogKind):
        raise InputError(
            f"PHUSONG_LOG = “{kind}”: phải là json, text hoặc off.",
            f"PHUSONG_LOG = “{kind}”: it must be json, text or off.",
        )
    return kind


def _known_commit(commit: str | None) -> str | None:
    return commit if commit and _COMMIT.fullmatch(commit) else None


def _known_hosts(names: str) -> str:
    wrong = next(
        (name for name in names.split(",") if name.strip() and not _HOST.fullmatch(name.strip())), None
    )
    if wrong is not None:
        raise InputError(
            f"PHUSONG_HOSTS: “{wrong}” không phải tên máy hay địa chỉ.",
            f"PHUSONG_HOSTS: “{wrong}” is no host name or address.",
        )
    return names


def _known_proxies(addresses: str) -> str:
    for address in filter(None, map(str.strip, addresses.split(","))):
        try:
            ipaddress.ip_network(address)
        except ValueError as fault:
            raise InputError(
                f"PHUSONG_PROXIES: “{address}” không phải địa chỉ IP hay dải địa chỉ (ví dụ 127.0.0.1, 10.0.0.0/24).",
                f"PHUSONG_PROXIES: “{address}” is no IP address or network (such as 127.0.0.1, 10.0.0.0/24).",
            ) from fault
    return addresses


def _known_basemap(said: str) -> str:
    """The base map as it is said; whether a file is there and can be read is seen when the service starts."""
    text = said.strip()
    is_file = "://" not in text and Path(text).suffix.lower() in {MBTILES, PMTILES}
    if not text or is_file or _is_tile_address(text):
        return text
    raise InputError(
        f"PHUSONG_BASEMAP = “{text:.200}”: phải là đường dẫn tới tệp {MBTILES} hoặc {PMTILES}, hoặc địa chỉ "
        "https://MÁY/…/{z}/{x}/{y}.png (http chỉ dùng được trên chính máy này). Để trống: nền bản đồ của chính dịch vụ.",
        f"PHUSONG_BASEMAP = “{text:.200}”: it must be the path of a {MBTILES} or {PMTILES} file, or an address like "
        "https://HOST/…/{z}/{x}/{y}.png (http is for this machine only). Empty: the service's own base map.",
    )


def _is_tile_address(text: str) -> bool:
    """Whether it names a host that may be asked, and each of {z}, {x} and {y} once behind it."""
    return all(text.count(place) == 1 for place in ("{z}", "{x}", "{y}")) and bool(
        _TILE_ADDRESS.fullmatch(text)
    )


def _known_attribution(text: str) -> str:
    if len(text) > _LONGEST_ATTRIBUTION or not text.isprintable():
        raise InputError(
            f"PHUSONG_BASEMAP_ATTRIBUTION: một dòng chữ thường, tối đa {_LONGEST_ATTRIBUTION} ký tự; có {len(text)}.",
            f"PHUSONG_BASEMAP_ATTRIBUTION: one line of plain text, at most {_LONGEST_ATTRIBUTION} signs; it has {len(text)}.",
        )
    return text.strip()


def is_secure(address: str) -> bool:
    """Whether nobody on the way reads or changes what is asked there: by https, or on this machine."""
    return _SECURE.fullmatch(address) is not None


class Settings(BaseSettings):
    """What the environment may set; the command line overrules it.

    workspace: the folder that holds archive, places, criteria and snapshots.
    engine: what runs the table expressions: `duckdb` in this process, or `spark://HOST:PORT`, the master of a cluster
      (several with commas between, as Spark writes them).
    manifest: SQLAlchemy URL of the manifest's database, postgresql+psycopg://…; None = a SQLite file in the workspace.
    free_disk_floor_mb: below so much free disk nothing is taken in; room for judging what is there already.
    max_upload_mb: the longest file that the service takes, packed as it comes.
    max_open_deliveries: how many files the service receives at one moment; the next client is asked to wait.
    public_url: the address by which clients reach the service where a proxy stands before it; None = the address asked for.
    hosts: names and addresses by which the service may be asked besides the loopback's, with commas between.
    proxies: addresses or networks of the proxies before the service, with commas between; who asks is taken from what
      they write in X-Forwarded-For. Empty = from nobody, since anybody can write it.
    public: whether anybody may read, without a key, what cannot be led back to single phones.
    requests_per_minute: how many requests a caller with a key or account, or an address without one, may send.
    open_deliveries_per_caller: how many files the service receives from one caller at one moment.
    idle_timeout_s: how long a sender may send nothing; then its line is cut, and what came is kept.
    oidc_issuer, oidc_client_id, oidc_client_secret: the OpenID provider by which people may log in, and what the service
      is called there; all three or none.
    basemap: what lies under the map: empty = drawn by the service itself of its layers; the path of an .mbtiles or
      .pmtiles file with image tiles; or an https address with {z}, {x} and {y}, which the readers' browsers ask.
    basemap_attribution: who made it, as plain text; empty = what the file says.
    log: how the service and its workers log on stderr; None = text for a person who watches, else json.
    commit: the Git commit that was built, as whoever built it says; None = not known.
    metrics_folder: where processes that answer on one address count together, named as their library has it; None =
      each for itself. The service says it to the processes that it starts.
    """

    model_config = SettingsConfigDict(env_prefix="PHUSONG_", extra="ignore")

    workspace: Path = Path("workspace")
    engine: Annotated[str, AfterValidator(_known_engine)] = DUCKDB
    manifest: str | None = None
    free_disk_floor_mb: int = 1000
    max_upload_mb: int = 500
    max_open_deliveries: int = 200
    idle_timeout_s: float = 30.0
    hosts: Annotated[str, AfterValidator(_known_hosts)] = ""
    proxies: Annotated[str, AfterValidator(_known_proxies)] = ""
    public: bool = False
    requests_per_minute: int = Field(default=6000, ge=1)
    open_deliveries_per_caller: int = Field(default=50, ge=1)
    public_url: Annotated[str | None, AfterValidator(_known_address)] = None
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    basemap: Annotated[str, AfterValidator(_known_basemap)] = ""
    basemap_attribution: Annotated[str, AfterValidator(_known_attribution)] = ""
    log: Annotated[str | None, AfterValidator(_known_log)] = None
    commit: Annotated[str | None, AfterValidator(_known_commit)] = None
    metrics_folder: Annotated[Path | None, Field(validation_alias=METRICS_FOLDER)] = None

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        secret = self.oidc_client_secret.get_secret_value() if self.oidc_client_secret else ""
        said = {"ISSUER": self.oidc_issuer, "CLIENT_ID": self.oidc_client_id, "CLIENT_SECRET": secret}
        missing = [f"PHUSONG_OIDC_{name}" for name, value in said.items() if not value]
        if len(missing) == len(said):
            return self
        if missing:
            raise InputError(
                f"Đăng nhập qua OpenID còn thiếu {', '.join(missing)}: cần đủ cả ba biến PHUSONG_OIDC_… hoặc không biến nào.",
                f"Login by OpenID lacks {', '.join(missing)}: all three of PHUSONG_OIDC_… are needed, or none.",
            )
        _require_provider(self.oidc_issuer or "", (self.oidc_client_id or "", secret))
        return self


def _require_provider(issuer: str, plain: tuple[str, ...]) -> None:
    if not is_secure(issuer) or set(issuer) & {"?", "#"}:
        raise InputError(
            f"PHUSONG_OIDC_ISSUER = “{issuer}”: phải là https://MÁY[:CỔNG][/ĐƯỜNG-DẪN]; http chỉ dùng được trên chính máy này.",
            f"PHUSONG_OIDC_ISSUER = “{issuer}”: it must be https://HOST[:PORT][/PATH]; http is for this machine only.",
        )
    if not all(_PLAIN.fullmatch(text) for text in plain):  # never told: one of them is a secret
        raise InputError(
            "PHUSONG_OIDC_CLIENT_ID, PHUSONG_OIDC_CLIENT_SECRET: chỉ gồm ký tự ASCII in được, tối đa 1000.",
            "PHUSONG_OIDC_CLIENT_ID, PHUSONG_OIDC_CLIENT_SECRET: printable ASCII only, at most 1000 signs.",
        )


def get_settings() -> Settings:
    """The settings as the environment stands now."""
    return Settings()


def environment_with(**said: str) -> dict[str, str]:
    """The environment of this process, for a child of it, with these variables said anew."""
    return os.environ | said
