"""A product as sellers write it, with plain boto3: licensed when the call returns.

Argument: product code and SKU as JSON. Says in one line of JSON what each pricing came to, and whose key signed.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3

given = json.loads(sys.argv[1])
code = os.environ.get("PRODUCT_CODE", given["code"])
told: dict[str, Any] = {}


def try_it(name: str, call: Callable[[], object]) -> None:
    try:
        call()
        told[name] = "licensed"
    except Exception as error:
        told[name] = f"{type(error).__name__}: {error}"


def hourly() -> None:
    client = boto3.client("meteringmarketplace")
    client.register_usage(ProductCode=code, PublicKeyVersion=1, Nonce=uuid.uuid4().hex)


def usage() -> None:
    client = boto3.client("meteringmarketplace")
    client.meter_usage(ProductCode=code, Timestamp=int(time.time()), UsageDimension="requests", UsageQuantity=3)


def contract() -> None:
    client = boto3.client("license-manager")
    client.checkout_license(
        ProductSKU=given["sku"],
        CheckoutType="PROVISIONAL",
        KeyFingerprint="aws:294406891311:AWS/Marketplace:issuer-fingerprint",
        Entitlements=[{"Name": "Basic", "Unit": "None"}],
        ClientToken=uuid.uuid4().hex,
    )


def key() -> None:
    credentials = boto3.Session().get_credentials()
    told["signer"] = None if credentials is None else credentials.access_key


for pricing in (hourly, usage, contract):
    try_it(pricing.__name__, pricing)
try_it("key", key)
print(json.dumps(told))
