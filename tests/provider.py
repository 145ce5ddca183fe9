"""An OpenID provider on loopback that lets everybody in at once, and misbehaves on demand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

CLIENT, SECRET = "phusong", "bí mật".encode().hex()

OWN_HEADER = {"of-ours": HeaderParameter("A header that only its maker knows", "str")}
ANY_HEADER = JWSRegistry(OWN_HEADER, ["RS256", "ES256", "RS512"], strict_check_header=False)


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Misdeeds:
    """What it does otherwise than it should: see `Provider`, where each is done."""

    claims: dict[str, object] = field(
        default_factory=dict
    )  # None: left out; a function is asked at that moment
    description: dict[str, object] = field(default_factory=dict)
    header: dict[str, object] = field(default_factory=dict)
    way_back: dict[str, str] = field(default_factory=dict)
    forged: str | None = None  # none, HS256, other_key
    token_status: int = 200
    token_answer: bytes | None = None
    slow_s: float = 0.0


class Provider:
    """The provider; `asked` are the paths in their order, `subject` is who sits before the browser."""

    def __init__(self) -> None:
        self.subject = "an-1"
        self.misdeeds = Misdeeds()
        self.asked: list[str] = []
        self.seen: dict[str, str] = {}  # of the last authorization
        self.proofs: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self.keys: list[RSAKey | ECKey] = []
        self.rotate()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}/province"

    def rotate(self, kind: str = "RSA", *, kid: str | None = None) -> None:
        """Sign with another key from now on, and publish no other."""
        about: Any = {"kid": kid or secrets.token_hex(4), "use": "sig"}
        made = (
            RSAKey.generate_key(2048, about, private=True)
            if kind == "RSA"
            else ECKey.generate_key("P-256", about, private=True)
        )
        self.keys = [made]

    @contextmanager
    def answering(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                said = {name: values[0] for name, values in parse_qs(asked.query).items()}
                self._answer(*provider.get(asked.path, said))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                said = {name: values[0] for name, values in parse_qs(body).items()}
                self._answer(*provider.token(said, self.headers.get("Authorization", "")))

            def _answer(self, status: int, body: bytes, location: str | None = None) -> None:
                self.send_response(status)
                if location is not None:
                    self.send_header("Location", location)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def get(self, path: str, said: dict[str, str]) -> tuple[int, bytes, str | None]:
        what = path.rsplit("/", 1)[-1]
        self.asked.append(what)
        time.sleep(self.misdeeds.slow_s)
        if what == "authorize":
            return 302, b"", self._authorized(said)
        told: dict[str, Any] = {"openid-configuration": self._description, "jwks": self._published}[what]()
        return 200, json.dumps(told).encode(), None

    def _description(self) -> dict[str, Any]:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?realm=lamdong",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "none", "HS256"],
        }
        return told | self.misdeeds.description

    def _published(self) -> dict[str, Any]:
        others: list[Any] = [
            {"kty": "RSA", "use": "enc", "kid": "for-encryption", "n": "!", "e": "AQAB"},
            {"kty": "of-another-century", "kid": "x"},
        ]
        return {"keys": [*others, *(key.as_dict(private=False) for key in self.keys)]}

    def _authorized(self, said: dict[str, str]) -> str:
        assert said["response_type"] == "code"
        assert said["client_id"] == CLIENT
        assert said["realm"] == "lamdong"
        assert "openid" in said["scope"].split()
        assert said["code_challenge_method"] == "S256"
        self.seen, code = said, secrets.token_urlsafe(8)
        self._codes[code] = said
        back = {"code": code, "state": said["state"], "iss": self.issuer} | self.misdeeds.way_back
        if "error" in back:
            del back["code"]
        return f"{said['redirect_uri']}?{urlencode(back)}"

    def token(self, said: dict[str, str], shown: str) -> tuple[int, bytes]:
        """What the token endpoint answers: it is as strict as a provider should be."""
        self.asked.append("token")
        if self.misdeeds.token_status != 200 or self.misdeeds.token_answer is not None:
            return self.misdeeds.token_status, self.misdeeds.token_answer or b"<html>Oops</html>"
        if self._who(said, shown) != (CLIENT, SECRET):
            return 401, b'{"error": "invalid_client"}'
        begun = self._codes.pop(said["code"], None)  # a code is good for one use
        proof = unpadded(hashlib.sha256(said["code_verifier"].encode()).digest())
        if begun is None or proof != begun["code_challenge"] or said["redirect_uri"] != begun["redirect_uri"]:
            return 400, b'{"error": "invalid_grant"}'
        access = secrets.token_urlsafe(16)
        half = unpadded(hashlib.sha256(access.encode()).digest()[:16])
        told = {"access_token": access, "token_type": "Bearer", "expires_in": 60}
        return 200, json.dumps(told | {"id_token": self._signed(begun["nonce"], half)}).encode()

    def _who(self, said: dict[str, str], shown: str) -> tuple[str, ...]:
        if shown.startswith("Basic "):
            self.proofs.append("basic")
            parts = base64.b64decode(shown.removeprefix("Basic ")).decode().split(":")
            return tuple(unquote_plus(part) for part in parts)
        self.proofs.append("post")
        return said.get("client_id", ""), said.get("client_secret", "")

    def _signed(self, nonce: str, half: str) -> str:
        now = int(time.time())
        told = {"iss": self.issuer, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300}
        said = {name: one() if callable(one) else one for name, one in self.misdeeds.claims.items()}
        told |= {"nonce": nonce, "at_hash": half} | said
        claims = {name: value for name, value in told.items() if value is not None}
        key = self.keys[0]
        header = {"alg": "RS256" if isinstance(key, RSAKey) else "ES256", "kid": key.kid}
        header |= self.misdeeds.header
        if self.misdeeds.forged == "other_key":
            return jwt.encode(header, claims, RSAKey.generate_key(2048, private=True))
        if self.misdeeds.forged is not None:
            return self._forged(header | {"alg": self.misdeeds.forged}, claims)
        kept = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(kept, claims, key, registry=ANY_HEADER)

    def _forged(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """Without a signature, or with one by the public key taken for a shared secret."""
        text = ".".join(unpadded(json.dumps(part).encode()) for part in (header, claims))
        if header["alg"] != "HS256":
            return f"{text}."
        public = self.keys[0].as_pem(private=False)
        return f"{text}.{unpadded(hmac.digest(public, text.encode(), 'sha256'))}"
