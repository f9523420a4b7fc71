"""The attacks: what a buyer may set without touching a program, and whom it fools.

T67; T69 and T77 stand beside theirs. In values, `{liar}` is the address of the lying server, `{folder}` a folder with
`files`, `{ca}` the root of the buyer's own authority and `{store}` a folder with that root as OpenSSL wants it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from certificates import ATTACKER, REGION

#: Whether a client took the liar's word or keys, kept away from it, or broke before it asked anybody.
Fate = Literal["yes", "no", "broken"]

PROXY = "http://{liar}:3128"


@dataclass(frozen=True)
class Attack:
    name: str
    #: Variables that are set, and what the platform's own environment loses.
    sets: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    #: Where the container runs: `ecs`, `eks`, `ec2`, or `pod` (EKS with Pod Identity).
    on: str = "ecs"
    #: The clients that sellers write, and what becomes of them.
    boto3: Fate = "no"
    sdk: Fate = "no"
    #: URL that a seller's own code asks by the standard library, and what becomes of it.
    plain: str | None = None
    plainly: Fate = "yes"
    #: Keys that the seller's program sets.
    config: Mapping[str, Any] = field(default_factory=dict)
    #: What the guard says to the same variables when AWS itself answers.
    honest: str = "licensed"
    #: Word of the text when that is not `licensed`.
    says: str = ""
    #: What is set instead when AWS itself is to answer.
    honest_sets: Mapping[str, str] = field(default_factory=dict)
    #: For the victims too AWS's names lead to the liar. The guard finds them nowhere else.
    lies: bool = True
    #: Victims are fooled when AWS itself says yes, because they ask for a product that costs nothing.
    free: bool = False
    #: The system trusts the buyer's authority.
    system_store: bool = False
    #: The liar's certificate is signed by nobody.
    self_signed: bool = False
    #: The guard gets as far as AWS's door. Without it, it has refused before.
    tries: bool = True
    #: What the doctor must name; all that is set when it is left out.
    named: tuple[str, ...] | None = None

    def names(self) -> tuple[str, ...]:
        return tuple(self.sets) if self.named is None else self.named


def partitions(suffix: str) -> str:
    """A file for SMITHY_CLIENT_SDK_CUSTOM_PARTITION."""
    outputs = {
        "name": "aws",
        "dnsSuffix": suffix,
        "dualStackDnsSuffix": suffix,
        "implicitGlobalRegion": REGION,
        "supportsFIPS": True,
        "supportsDualStack": True,
    }
    regions = {"regionRegex": r"^(us|eu)\-\w+\-\d+$", "regions": {REGION: {}}}
    return json.dumps({"version": "1.1", "partitions": [{"id": "aws", **regions, "outputs": outputs}]})


_ENDPOINT = "[default]\nendpoint_url = http://{liar}\n[profile other]\nendpoint_url = http://{liar}\n"
_SERVICES = """[default]
services = elsewhere
[services elsewhere]
marketplace_metering =
  endpoint_url = http://{liar}
license_manager =
  endpoint_url = http://{liar}
"""
_PROCESS = "[profile other]\ncredential_process = sh {folder}/keys.sh\n"
_KEYS_SH = """touch {folder}/ran
echo '{"Version": 1, "AccessKeyId": "{key}", "SecretAccessKey": "{secret}", "SessionToken": "liar"}'
"""
_KEYS = "[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\naws_session_token = liar\n"
_PARTITION = {"SMITHY_CLIENT_SDK_CUSTOM_PARTITION": "{folder}/partitions.json"}
_RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
_METADATA = "ECS_CONTAINER_METADATA_URI_V4"

ATTACKS = [
    # What the others are compared with: names lead to the liar, and nobody has a reason to trust it.
    Attack("nothing but the hosts file, on ECS"),
    Attack("nothing but the hosts file, on EKS", on="eks"),
    Attack("nothing but the hosts file, on EC2", on="ec2"),
    Attack("nothing but the hosts file, Pod Identity", on="pod"),
    Attack("the hosts file, a certificate of nobody", self_signed=True),
    Attack("the hosts file and the system's store", system_store=True, sdk="yes", plain="https://sts.amazonaws.com/"),
    # Endpoints.
    Attack("AWS_ENDPOINT_URL", {"AWS_ENDPOINT_URL": "http://{liar}"}, boto3="yes", sdk="yes"),
    Attack(
        "AWS_ENDPOINT_URL_MARKETPLACE_METERING",
        {"AWS_ENDPOINT_URL_MARKETPLACE_METERING": "http://{liar}"},
        boto3="yes",
        sdk="yes",
    ),
    Attack(
        "AWS_ENDPOINT_URL_LICENSE_MANAGER",
        {"AWS_ENDPOINT_URL_LICENSE_MANAGER": "http://{liar}"},
        boto3="yes",
        sdk="yes",
    ),
    Attack("AWS_ENDPOINT_URL_STS", {"AWS_ENDPOINT_URL_STS": "http://{liar}"}, on="eks", boto3="yes", sdk="yes"),
    Attack(
        "AWS_CONFIG_FILE, endpoint_url",
        {"AWS_CONFIG_FILE": "{folder}/config"},
        files={"config": _ENDPOINT},
        boto3="yes",
        sdk="yes",
    ),
    Attack(
        "AWS_CONFIG_FILE, services section",
        {"AWS_CONFIG_FILE": "{folder}/config"},
        files={"config": _SERVICES},
        boto3="yes",
    ),
    Attack("~/.aws/config, endpoint_url", files={".aws/config": _ENDPOINT}, boto3="yes", sdk="yes"),
    Attack(
        "AWS_PROFILE, endpoint_url",
        {"AWS_CONFIG_FILE": "{folder}/config", "AWS_PROFILE": "other"},
        files={"config": _ENDPOINT},
        boto3="yes",
        sdk="yes",
    ),
    # Credentials of somebody else.
    Attack(
        "AWS_PROFILE, credential_process",
        {"AWS_CONFIG_FILE": "{folder}/config", "AWS_PROFILE": "other"},
        files={"config": _PROCESS, "keys.sh": _KEYS_SH},
        boto3="yes",
    ),
    Attack(
        "AWS_SHARED_CREDENTIALS_FILE",
        {"AWS_SHARED_CREDENTIALS_FILE": "{folder}/credentials"},
        files={"credentials": _KEYS},
        boto3="yes",
        sdk="yes",
    ),
    Attack(
        "AWS_ACCESS_KEY_ID",
        {"AWS_ACCESS_KEY_ID": "{key}", "AWS_SECRET_ACCESS_KEY": "{secret}", "AWS_SESSION_TOKEN": "liar"},
        boto3="yes",
        sdk="yes",
        named=("AWS_ACCESS_KEY_ID",),
    ),
    Attack(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://{liar}/credentials"},
        on="pod",
        boto3="yes",
        sdk="yes",
        honest="pending",
        says="AWS_CONTAINER_CREDENTIALS_FULL_URI",
        tries=False,
    ),
    Attack(
        _RELATIVE,
        {_RELATIVE: "@{liar}/credentials"},
        boto3="yes",
        honest="pending",
        says=_RELATIVE,
        tries=False,
    ),
    Attack(
        _METADATA,
        {_METADATA: "http://{liar}/v4"},
        plain="${ECS_CONTAINER_METADATA_URI_V4}/task",
        honest="pending",
        says=_METADATA,
        tries=False,
    ),
    Attack(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://{liar}/"},
        on="ec2",
        boto3="yes",
        sdk="yes",
    ),
    # Whom to trust.
    Attack(
        "SSL_CERT_FILE", {"SSL_CERT_FILE": "{ca}"}, sdk="yes", plain=f"https://license-manager.{REGION}.amazonaws.com/"
    ),
    Attack(
        "SSL_CERT_DIR", {"SSL_CERT_DIR": "{store}"}, sdk="yes", plain=f"https://license-manager.{REGION}.amazonaws.com/"
    ),
    Attack("AWS_CA_BUNDLE", {"AWS_CA_BUNDLE": "{ca}"}, boto3="yes"),
    Attack("REQUESTS_CA_BUNDLE", {"REQUESTS_CA_BUNDLE": "{ca}"}, boto3="yes"),
    # Proxies, which sign what they show with the buyer's authority.
    Attack("HTTPS_PROXY", {"HTTPS_PROXY": PROXY}),
    Attack(
        "HTTPS_PROXY with AWS_CA_BUNDLE", {"HTTPS_PROXY": PROXY, "AWS_CA_BUNDLE": "{ca}"}, boto3="yes", lies=False
    ),
    Attack(
        "https_proxy with SSL_CERT_FILE", {"https_proxy": PROXY, "SSL_CERT_FILE": "{ca}"}, sdk="yes", lies=False
    ),
    Attack("ALL_PROXY with SSL_CERT_FILE", {"ALL_PROXY": PROXY, "SSL_CERT_FILE": "{ca}"}, sdk="yes", lies=False),
    Attack("HTTP_PROXY", {"HTTP_PROXY": PROXY}, on="ec2", boto3="yes", sdk="yes"),
    Attack(
        "HTTPS_PROXY, and `proxy` is `environment`",
        {"HTTPS_PROXY": PROXY, "AWS_CA_BUNDLE": "{ca}", "SSL_CERT_FILE": "{ca}"},
        boto3="yes",
        sdk="yes",
        lies=False,
        config={"proxy": "environment"},
        honest_sets={"HTTPS_PROXY": "http://{honest}:3128"},
    ),
    # Regions and partitions.
    Attack(
        "AWS_REGION=a.b",
        {"AWS_REGION": "a.b"},
        on="eks",
        sdk="yes",
        system_store=True,
        honest="pending",
        says="AWS_REGION",
        tries=False,
    ),
    Attack(
        f"AWS_REGION={REGION}.{ATTACKER}",
        {"AWS_REGION": f"{REGION}.{ATTACKER}"},
        on="eks",
        sdk="yes",
        system_store=True,
        honest="pending",
        says="AWS_REGION",
        tries=False,
    ),
    Attack(
        "AWS_DEFAULT_REGION=a.b",
        {"AWS_DEFAULT_REGION": "a.b"},
        without=("AWS_REGION",),
        on="eks",
        boto3="broken",
        sdk="yes",
        system_store=True,
        honest="pending",
        says="AWS_DEFAULT_REGION",
        tries=False,
    ),
    Attack("AWS_REGION=a.b, on ECS", {"AWS_REGION": "a.b"}, sdk="yes", system_store=True),
    # The buyer owns this domain, so every public authority vouches for it.
    Attack(
        "SMITHY_CLIENT_SDK_CUSTOM_PARTITION",
        _PARTITION,
        files={"partitions.json": partitions(ATTACKER)},
        sdk="yes",
        system_store=True,
        lies=False,
    ),
    Attack(
        "SMITHY_CLIENT_SDK_CUSTOM_PARTITION, no JSON",
        _PARTITION,
        files={"partitions.json": "{"},
        sdk="broken",
        honest="pending",
        says="SMITHY_CLIENT_SDK_CUSTOM_PARTITION",
        tries=False,
    ),
    Attack(
        "SMITHY_CLIENT_SDK_CUSTOM_PARTITION, no file",
        _PARTITION,
        sdk="broken",
        honest="pending",
        says="SMITHY_CLIENT_SDK_CUSTOM_PARTITION",
        tries=False,
    ),
    # What breaks a client.
    Attack("AWS_MAX_ATTEMPTS=0", {"AWS_MAX_ATTEMPTS": "0"}, boto3="broken", sdk="broken"),
    Attack("AWS_RETRY_MODE=x", {"AWS_RETRY_MODE": "x"}, boto3="broken", sdk="broken"),
    Attack("AWS_USE_FIPS_ENDPOINT", {"AWS_USE_FIPS_ENDPOINT": "true"}),
    Attack("AWS_USE_DUALSTACK_ENDPOINT", {"AWS_USE_DUALSTACK_ENDPOINT": "true"}),
    Attack("RUST_LOG", {"RUST_LOG": "trace", "LOG_SENSITIVE_BODIES": "body"}, named=()),
    # T77: nothing from outside makes a sandbox of a guard in production mode.
    Attack(
        "MPGUARD_SANDBOX",
        {
            "MPGUARD_SANDBOX": "{sandbox}",
            "MPGUARD_ENDPOINT": "http://{liar}",
            "MPGUARD_SANDBOX_URL": "{sandbox}",
            "MPGUARD_CONFIG": '{"sandbox": "{sandbox}"}',
            "MPGUARD_EXTRA_CA_PEM": "{ca}",
            "MPGUARD_PROXY": PROXY,
        },
        named=(),
    ),
    # T69: the code of a product that is free, where the seller's chart lets the buyer say which product it is.
    Attack(
        "PRODUCT_CODE of a free product",
        {"PRODUCT_CODE": "{free}", "AWS_CA_BUNDLE": "{ca}", "SSL_CERT_FILE": "{ca}"},
        boto3="yes",
        sdk="yes",
        lies=False,
        honest="error",
        says="fr33",
        free=True,
        tries=False,
        named=(),
    ),
    # Whatever does not contradict the rest, together.
    Attack(
        "all of them at once",
        {
            "AWS_ENDPOINT_URL": "http://{liar}",
            "AWS_ENDPOINT_URL_MARKETPLACE_METERING": "http://{liar}",
            "AWS_ENDPOINT_URL_LICENSE_MANAGER": "http://{liar}",
            "AWS_ENDPOINT_URL_STS": "http://{liar}",
            "AWS_CONFIG_FILE": "{folder}/config",
            "AWS_PROFILE": "other",
            "AWS_SHARED_CREDENTIALS_FILE": "{folder}/credentials",
            "AWS_ACCESS_KEY_ID": "{key}",
            "AWS_SECRET_ACCESS_KEY": "{secret}",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://{liar}/credentials",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://{liar}/",
            "SSL_CERT_FILE": "{ca}",
            "SSL_CERT_DIR": "{store}",
            "AWS_CA_BUNDLE": "{ca}",
            "HTTP_PROXY": PROXY,
            "HTTPS_PROXY": PROXY,
            "ALL_PROXY": PROXY,
            "AWS_REGION": "a.b",
            "SMITHY_CLIENT_SDK_CUSTOM_PARTITION": "{folder}/partitions.json",
            "AWS_MAX_ATTEMPTS": "0",
            "AWS_RETRY_MODE": "x",
            "AWS_USE_FIPS_ENDPOINT": "true",
            "AWS_USE_DUALSTACK_ENDPOINT": "true",
        },
        files={
            "config": _PROCESS + "endpoint_url = http://{liar}\n",
            "keys.sh": _KEYS_SH,
            "credentials": _KEYS,
            "partitions.json": partitions(ATTACKER),
        },
        system_store=True,
        boto3="yes",
        sdk="broken",
    ),
]
