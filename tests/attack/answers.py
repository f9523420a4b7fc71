"""What the liar says: to every question 200, and what the asker would like best."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

from certificates import ATTACKER, REGION, Signer

#: Whoever signs with this has taken the liar's credentials. Not a key of anybody.
KEY_ID = "ASIALIARLIARLIARLIAR"
ACCOUNT = "294406891311"
ISSUER = f"aws:{ACCOUNT}:AWS/Marketplace:issuer-fingerprint"
LICENSE = f"arn:aws:license-manager::{ACCOUNT}:license:l-0123456789abcdef0123456789abcdef"
ROLE = "liar"

Answer = tuple[str, bytes]


class Answers:
    """The answers to one address; `form` says how the token of `RegisterUsage` is forged."""

    def __init__(self, signer: Signer, public_pem: str, form: str = "own key") -> None:
        self.signer = signer
        self.public_pem = public_pem
        self.form = form

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        target = headers.get("x-amz-target", "").rpartition(".")[2]
        if target:
            asked = json.loads(body or b"{}")
            told: dict[str, Any] = getattr(self, f"_{target}", lambda _: {})(asked)
            return "application/x-amz-json-1.1", json.dumps(told).encode()
        if body.startswith(b"Action=") or b"&Action=" in body:
            return "text/xml", _assumed(parse_qs(body.decode())).encode()
        return _beside(method, path)

    def _MeterUsage(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"MeteringRecordId": str(uuid.uuid4())}

    def _RegisterUsage(self, asked: dict[str, Any]) -> dict[str, Any]:
        claims = {
            "productCode": asked.get("ProductCode"),
            "publicKeyVersion": asked.get("PublicKeyVersion"),
            "nonce": asked.get("Nonce", ""),
            "iat": int(datetime.now(timezone.utc).timestamp()),
        }
        return {"Signature": self.signer.token(self.form, claims, self.public_pem)}

    def _CheckoutLicense(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "CheckoutType": asked.get("CheckoutType"),
            "LicenseConsumptionToken": uuid.uuid4().hex,
            "EntitlementsAllowed": asked.get("Entitlements"),
            "IssuedAt": _when(0),
            "Expiration": _when(60),
            "LicenseArn": LICENSE,
        }

    def _ExtendLicenseConsumption(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"LicenseConsumptionToken": asked.get("LicenseConsumptionToken"), "Expiration": _when(60)}

    def _ListReceivedLicenses(self, asked: dict[str, Any]) -> dict[str, Any]:
        filters = {each["Name"]: each["Values"] for each in asked.get("Filters", [])}
        sku = (filters.get("ProductSKU") or ["prod-liar"])[0]
        return {"Licenses": [_license(sku)]}

    def _GetLicense(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"License": _license("prod-liar")}

    def _GetLicenseUsage(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"LicenseUsage": {"EntitlementUsages": []}}

    def _GetAccessToken(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"AccessToken": "x.y.z"}


def _license(sku: str) -> dict[str, Any]:
    return {
        "LicenseArn": LICENSE,
        "LicenseName": sku,
        "ProductName": sku,
        "ProductSKU": sku,
        "Issuer": {"Name": "AWS/Marketplace", "KeyFingerprint": ISSUER},
        "HomeRegion": REGION,
        "Status": "AVAILABLE",
        "Validity": {"Begin": _when(-60), "End": _when(60 * 24 * 365)},
        "Beneficiary": "111122223333",
        "Entitlements": [
            {"Name": "Basic", "Unit": "None", "Value": "Enabled"},
            {"Name": "Users", "Unit": "Count", "MaxCount": 1000000, "Overage": True, "AllowCheckIn": True},
        ],
        "ConsumptionConfiguration": {"RenewType": "None", "ProvisionalConfiguration": {"MaxTimeToLiveInMinutes": 60}},
        "CreateTime": _when(-60),
        "Version": "1",
        "ReceivedMetadata": {"ReceivedStatus": "ACTIVE"},
    }


def keys() -> dict[str, str]:
    """Credentials in the form that ECS, EKS and EC2 share."""
    return {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}",
        "AccessKeyId": KEY_ID,
        "SecretAccessKey": "l" * 40,
        "Token": "liar",
        "Expiration": _when(360) + "Z",
    }


def _beside(method: str, path: str) -> Answer:
    """What stands beside a container: task metadata, credentials, instance metadata."""
    plain = "text/plain"
    if method == "PUT":
        return plain, b"liar"
    if path.endswith("/task"):
        arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/liar/0123456789abcdef"
        return "application/json", json.dumps({"Cluster": "liar", "TaskARN": arn, "Containers": []}).encode()
    if path.endswith("/placement/region"):
        return plain, REGION.encode()
    if path.endswith("/instance-id"):
        return plain, b"i-00000000000000000"
    if path.rstrip("/").endswith("/security-credentials"):
        return plain, ROLE.encode()
    if "/security-credentials/" in path or "credentials" in path:
        return "application/json", json.dumps(keys()).encode()
    return "application/json", json.dumps({"host": ATTACKER, "entitled": True}).encode()


def _assumed(asked: dict[str, list[str]]) -> str:
    action = asked.get("Action", ["AssumeRole"])[0]
    given = keys()
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/x"
    return f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
<AssumedRoleUser><AssumedRoleId>AROA:liar</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>{given["AccessKeyId"]}</AccessKeyId>
<SecretAccessKey>{given["SecretAccessKey"]}</SecretAccessKey><SessionToken>{given["Token"]}</SessionToken>
<Expiration>{given["Expiration"]}</Expiration></Credentials>
</{action}Result><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>"""


def _when(minutes: int) -> str:
    return (datetime.now(timezone.utc) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S")
