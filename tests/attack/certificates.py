"""An authority that nobody should trust, made anew for each run by the `openssl` command."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

REGION = "us-east-1"
#: A domain that the buyer owns; a public authority would sign for it.
ATTACKER = "attacker.example"

_SERVICES = ("metering.marketplace", "license-manager", "sts")
_OTHERS = ("metering-marketplace", "metering.marketplace-fips", "license-manager-fips", "sts-fips")


def names() -> list[str]:
    """Every host name that an attack can lead to."""
    suffixes = ("amazonaws.com", "api.aws", ATTACKER)
    found = [f"{service}.{REGION}.{suffix}" for service in (*_SERVICES, *_OTHERS) for suffix in suffixes]
    regions = ("a.b", f"{REGION}.{ATTACKER}")
    found += [f"{service}.{region}.amazonaws.com" for service in _SERVICES for region in regions]
    return [*found, "sts.amazonaws.com", "sts.global.amazonaws.com", ATTACKER]


def openssl(*arguments: str, text: bytes | None = None) -> bytes:
    done = subprocess.run(["openssl", *arguments], input=text, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"`openssl {arguments[0]}` failed: {done.stderr.decode()}")
    return done.stdout


class Authority:
    """A certificate authority in a folder, with the certificates of the liar and of the honest server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "ca.pem"
        key = folder / "ca.key"
        self._make(self.root, key, "/CN=An authority of the buyer", "CA:TRUE", [])
        signed = ["-CA", str(self.root), "-CAkey", str(key)]
        everything = ",".join([*(f"DNS:{name}" for name in names()), "IP:127.0.0.1"])
        names_too = ["-addext", f"subjectAltName={everything}"]
        self.leaf, self.leaf_key = folder / "leaf.pem", folder / "leaf.key"
        self._make(self.leaf, self.leaf_key, "/CN=leaf", "CA:FALSE", [*signed, *names_too])
        self.alone, self.alone_key = folder / "alone.pem", folder / "alone.key"
        self._make(self.alone, self.alone_key, "/CN=alone", "CA:FALSE", names_too)
        self.store = folder / "store"
        self._make_store()

    def _make(self, certificate: Path, key: Path, subject: str, constraints: str, more: list[str]) -> None:
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        files = ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", subject]
        openssl("req", "-x509", *curve, *files, "-addext", f"basicConstraints=critical,{constraints}", *more)

    def _make_store(self) -> None:
        """A folder as `SSL_CERT_DIR` and the system have it: one bundle, and names by hash."""
        self.store.mkdir()
        for name in ("ca-certificates.crt", "ca.pem"):
            (self.store / name).write_bytes(self.root.read_bytes())
        hashed = openssl("x509", "-hash", "-noout", "-in", str(self.root)).decode().strip()
        (self.store / f"{hashed}.0").write_bytes(self.root.read_bytes())


class Signer:
    """Answers `RegisterUsage` with a token that anybody could have made."""

    def __init__(self, folder: Path) -> None:
        self.key = folder / "forger.key"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(self.key))

    def token(self, form: str, claims: dict[str, object], public_pem: str) -> str:
        algorithm = {"none": "none", "HS256": "HS256"}.get(form, "PS256")
        parts = ({"alg": algorithm, "typ": "JWT"}, claims)
        signed = b".".join(_base64(json.dumps(part).encode()) for part in parts)
        return (signed + b"." + self._signature(form, signed, public_pem)).decode()

    def _signature(self, form: str, signed: bytes, public_pem: str) -> bytes:
        if form == "none":
            return b""
        if form == "HS256":
            # The public key as secret, for a verifier that lets the token choose the algorithm.
            secret = ["-mac", "HMAC", "-macopt", f"hexkey:{public_pem.encode().hex()}"]
            return _base64(openssl("dgst", "-sha256", *secret, "-binary", text=signed))
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"]
        return _base64(openssl("dgst", "-sha256", "-sign", str(self.key), *pss, text=signed))


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
