"""Login by an OpenID provider: the authorization code flow with PKCE, state and nonce.

What is to be remembered between the way out and the way back travels in a signed cookie: whichever process answers
the way back can read it, and no other browser has it. The provider's description and keys are asked for when needed.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from itsdangerous import BadData, URLSafeTimedSerializer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from coverage.archive.workspace import Workspace
from coverage.errors import AccessRefused
from coverage.service.problems import RETRY_AFTER_S, Refusal
from coverage.settings import Settings, is_secure

log = logging.getLogger(__name__)
VALID_S = 600  # so long a person may take at the provider
_PATIENCE_S = 5.0  # with each answer of the provider, as a whole
_KEPT_S = 600.0
_REST_S = 3.0  # after a try that failed: who asks meanwhile is not kept waiting for another
_CLOCKS_DIFFER_S = 60
_BASIC, _POST = "client_secret_basic", "client_secret_post"
_UNREACHABLE = (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError)
_UNUSABLE = (JoseError, ValueError, TypeError, KeyError)
# The algorithm is ours to choose, not the token's: “none” proves nothing, and HS256 would take a public key for a secret.
_SIGNATURES = JWSRegistry(algorithms=["RS256", "ES256"], strict_check_header=False)
_KINDS = frozenset({"RSA", "EC"})
_CODE = re.compile(r"[a-z_]{1,40}")
_Said = TypeVar("_Said")


@dataclass(frozen=True)
class Attempt:
    """A login that has begun: state, nonce and verifier as OpenID Connect calls them, and the page of ours it is for."""

    state: str
    nonce: str
    verifier: str
    page: str


@dataclass(frozen=True)
class _Description:
    """Where the provider is asked what, and how a service proves there who it is."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authentication: str


class Provider:
    """An OpenID provider as one process knows it; all of it belongs to the process's event loop."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, key: bytes) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._client = partial(
            AsyncOAuth2Client,
            client_id,
            client_secret,
            scope="openid",
            code_challenge_method="S256",
            timeout=_PATIENCE_S,
            verify=httpx2.create_ssl_context(),  # made once: that takes longer than an answer
        )
        signed = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._seal = URLSafeTimedSerializer(key, salt=b"attempt", signer_kwargs=signed)
        self._description = _Kept(self._describe)
        self._keys = _Kept(self._published_keys)

    async def begin(self, back: str, page: str) -> tuple[str, str]:
        """Where the browser is to go, and the cookie by which it is known when it comes back to the address `back`.

        Raises `Refusal` (503) where the provider does not answer.
        """
        there = (await self._description.get()).authorization_endpoint
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        async with self._client(redirect_uri=back) as client:
            address, _ = client.create_authorization_url(there, state, verifier, nonce=nonce)
        return address, str(self._seal.dumps(astuple(Attempt(state, nonce, verifier, page))))

    def resumed(self, cookie: str | None, state: str) -> Attempt:
        """The attempt that the cookie is of. Raises `AccessRefused` where it is none of ours, too old, or of another state."""
        try:
            attempt = Attempt(*self._seal.loads(cookie or "", max_age=VALID_S))
        except BadData as fault:
            raise _not_begun_here() from fault
        if not hmac.compare_digest(attempt.state.encode(), state.encode()):
            raise _not_begun_here()
        return attempt

    async def subject(self, attempt: Attempt, back: str, said: Mapping[str, str]) -> str:
        """Who has logged in, by what the browser brings back: the id that the provider gives a person.

        Raises `AccessRefused`, and `Refusal` (503) where the provider does not answer.
        """
        if said.get("iss", self.issuer) != self.issuer:
            raise _not_begun_here()
        if "error" in said or "code" not in said:
            raise _declined(said.get("error"))
        token = await self._token(attempt, back, said["code"])
        try:
            claims = await self._claims(token, attempt.nonce)
        except _UNUSABLE as fault:
            log.warning("id_token_refused", exc_info=True)  # its frames say which check it was
            raise AccessRefused(
                "Không kiểm chứng được câu trả lời của nhà cung cấp đăng nhập. Hãy báo người quản trị.",
                "The login provider's answer could not be verified. Tell the administrator.",
            ) from fault
        return str(claims["sub"])

    async def _token(self, attempt: Attempt, back: str, code: str) -> dict[str, Any]:
        """What the provider gives for the code, nothing of it checked."""
        about = await self._description.get()
        client = self._client(token_endpoint_auth_method=about.authentication, redirect_uri=back)
        try:
            async with asyncio.timeout(_PATIENCE_S), client:
                return dict(
                    await client.fetch_token(
                        about.token_endpoint,
                        grant_type="authorization_code",
                        code=code,
                        code_verifier=attempt.verifier,
                    )
                )
        except OAuthError as fault:
            log.warning("code_refused", extra={"reason": _shown(fault.error)})
            raise _declined(fault.error) from fault
        except (*_UNREACHABLE, TypeError) as fault:  # of an answer whose numbers are none
            log.warning("provider_unreachable", exc_info=True)
            raise _no_answer() from fault

    async def _claims(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """What the ID token says, all of it checked. Raises one of `_UNUSABLE`."""
        signed = await self._signed(token["id_token"])
        wanted = {name: {"essential": True} for name in ("sub", "exp", "iat", "nonce")}
        options = {
            **wanted,
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        expected = {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
        claims: Mapping[str, Any] = CodeIDToken(signed.claims, signed.header, options, expected)
        claims.validate(leeway=_CLOCKS_DIFFER_S)  # type: ignore[attr-defined]
        return claims

    async def _signed(self, text: str) -> jwt.Token:
        try:
            return jwt.decode(text, await self._keys.get(), registry=_SIGNATURES)
        except JoseError:  # the provider may have changed its keys meanwhile, under new names or the old ones
            return jwt.decode(text, await self._keys.get(anew=True), registry=_SIGNATURES)

    async def _describe(self) -> _Description:
        said = await self._asked(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        places = {name: str(said.get(name)) for name in names}
        if said.get("issuer") != self.issuer or not all(is_secure(place) for place in places.values()):
            log.error("provider_description_refused", extra={"its_issuer": said.get("issuer"), **places})
            raise _no_answer()
        ways = said.get("token_endpoint_auth_methods_supported")
        only_post = isinstance(ways, list) and _POST in ways and _BASIC not in ways
        return _Description(**places, authentication=_POST if only_post else _BASIC)

    async def _published_keys(self) -> KeySet:
        said = await self._asked((await self._description.get()).jwks_uri)
        try:
            # Keys for encryption, and of kinds that we take no signature of, may be there too.
            fit = [one for one in said["keys"] if one.get("kty") in _KINDS and one.get("use") != "enc"]
            return KeySet.import_key_set({"keys": fit})
        except (*_UNUSABLE, AttributeError) as fault:
            log.exception("provider_keys_refused")
            raise _no_answer() from fault

    async def _asked(self, address: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_PATIENCE_S), self._client() as client:
                answer = await client.request("GET", address, withhold_token=True)
                said = answer.raise_for_status().json()
        except _UNREACHABLE as fault:
            log.warning("provider_unreachable", exc_info=True)
            raise _no_answer() from fault
        if not isinstance(said, dict):
            raise _no_answer()
        return said


class _Kept(Generic[_Said]):
    """What the provider says, asked for anew after a while. Whoever comes while it is being asked waits for that answer."""

    def __init__(self, ask: Callable[[], Awaitable[_Said]]) -> None:
        self._ask = ask
        self._said: _Said | None = None
        self._until = 0.0
        self._rests_until = 0.0
        self._turn = asyncio.Lock()

    async def get(self, *, anew: bool = False) -> _Said:
        """The answer; with `anew` not the one that was kept. Raises `Refusal` (503)."""
        async with self._turn:
            now = time.monotonic()
            if self._said is not None and now < self._until and not anew:
                return self._said
            if now < self._rests_until:
                raise _no_answer()
            try:
                self._said = await self._ask()
            except Refusal:
                self._rests_until = time.monotonic() + _REST_S
                raise
            self._until = time.monotonic() + _KEPT_S
            return self._said


def provider_of(workspace: Workspace, settings: Settings) -> Provider | None:
    """The provider that the settings name; None where they name none."""
    issuer, client_id, secret = settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret
    if not issuer or not client_id or secret is None:
        return None
    return Provider(issuer, client_id, secret.get_secret_value(), _cookie_key(workspace))


def _cookie_key(workspace: Workspace) -> bytes:
    """The key under which attempts are signed: of the one secret that all processes of a workspace share.

    The secret is what is hashed, and the purpose is the key (as HKDF extracts). The other way round it would be the hash
    of a device by that name, and those stand in the archive for people to read.
    """
    return hmac.digest(b"phusong login attempts", workspace.device_key, "sha256")


def _not_begun_here() -> AccessRefused:
    return AccessRefused(
        f"Lần đăng nhập này không bắt đầu ở trình duyệt này, đã dùng rồi, hoặc quá {VALID_S // 60} phút. Hãy đăng nhập lại.",
        f"This login did not begin in this browser, was used already, or took more than {VALID_S // 60} minutes. Log in again.",
    )


def _declined(error: object) -> AccessRefused:
    """The refusal by the provider, with the word by which an administrator finds the cause."""
    if error == "access_denied":
        return AccessRefused(
            "Nhà cung cấp đăng nhập không cho vào, hoặc bạn đã bấm huỷ.",
            "The login provider did not let you in, or you cancelled.",
        )
    return AccessRefused(
        f"Nhà cung cấp đăng nhập từ chối ({_shown(error)}). Hãy thử lại; nếu vẫn vậy, báo người quản trị.",
        f"The login provider refused ({_shown(error)}). Try again; if it stays so, tell the administrator.",
    )


def _shown(error: object) -> str:
    return error if isinstance(error, str) and _CODE.fullmatch(error) else "?"


def _no_answer() -> Refusal:
    return Refusal(
        503,
        "provider_unavailable",
        "Nhà cung cấp đăng nhập không trả lời được. Hãy thử lại sau, hoặc dùng tên và mật khẩu ở đây.",
        "The login provider gives no usable answer. Try again later, or use a name and password here.",
        {"Retry-After": str(RETRY_AFTER_S)},
    )
