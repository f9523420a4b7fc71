"""boto3, unmodified, against the sandbox: every operation, good and bad, every answer parsed."""

import base64
import json
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

import conftest
from sandbox import HOUR_MS, START_MS

FINGERPRINT = "aws:294406891311:AWS/Marketplace:issuer-fingerprint"
START = START_MS // 1000

OPERATIONS = {
    "meteringmarketplace": ["MeterUsage", "RegisterUsage"],
    "license-manager": [
        "CheckInLicense",
        "CheckoutLicense",
        "ExtendLicenseConsumption",
        "GetAccessToken",
        "GetLicense",
        "GetLicenseUsage",
        "ListReceivedLicenses",
    ],
    "sts": ["AssumeRoleWithWebIdentity", "GetCallerIdentity"],
}

#: Requests that pass the model, so that a fault is all that can go wrong.
REQUESTS = {
    "MeterUsage": {"ProductCode": "abc", "Timestamp": START, "UsageDimension": "gb"},
    "RegisterUsage": {"ProductCode": "abc", "PublicKeyVersion": 1},
    "CheckInLicense": {"LicenseConsumptionToken": "x"},
    "CheckoutLicense": {
        "ProductSKU": "prod-abc",
        "CheckoutType": "PROVISIONAL",
        "KeyFingerprint": FINGERPRINT,
        "Entitlements": [{"Name": "Users", "Unit": "Count", "Value": "1"}],
        "ClientToken": "x",
    },
    "ExtendLicenseConsumption": {"LicenseConsumptionToken": "x"},
    "GetAccessToken": {"Token": "x"},
    "GetLicense": {"LicenseArn": "arn:aws:license-manager::294406891311:license:l-1"},
    "GetLicenseUsage": {"LicenseArn": "arn:aws:license-manager::294406891311:license:l-1"},
    "ListReceivedLicenses": {},
    "AssumeRoleWithWebIdentity": {
        "RoleArn": "arn:aws:iam::111122223333:role/app",
        "RoleSessionName": "app",
        "WebIdentityToken": "x.y.z",
    },
    "GetCallerIdentity": {},
}


def call(client, operation, **request):
    return getattr(client, botocore.xform_name(operation))(**request)


def usage(dimension="requests", hours=0, **more):
    return {"ProductCode": "abc", "Timestamp": START + hours * 3600, "UsageDimension": dimension} | more


def refused(client, error, operation, **request):
    """Calls and expects the modelled error class of that name."""
    with pytest.raises(getattr(client.exceptions, error)) as caught:
        call(client, operation, **request)
    return caught.value


def refused_with(client, code, operation, **request):
    """Calls and expects an error that the model does not list, by its code."""
    with pytest.raises(ClientError) as caught:
        call(client, operation, **request)
    assert caught.value.response["Error"]["Code"] == code
    return caught.value


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


# --- metering


def test_register_usage_answers_a_token_over_the_nonce(client, sandbox):
    answer = call(client("meteringmarketplace"), "RegisterUsage", ProductCode="abc", PublicKeyVersion=1, Nonce="n-1")
    expected = {"productCode": "abc", "publicKeyVersion": 1, "nonce": "n-1", "iat": START}
    assert claims(answer["Signature"]) == expected
    assert "PublicKeyRotationTimestamp" not in answer
    sandbox.post("products", product_code="abc", expired_key_versions=[1])
    answer = call(client("meteringmarketplace"), "RegisterUsage", ProductCode="abc", PublicKeyVersion=1)
    assert answer["PublicKeyRotationTimestamp"].timestamp() == START


def test_register_usage_refuses_by_name(client, sandbox):
    metering = client("meteringmarketplace")
    good = REQUESTS["RegisterUsage"]
    refused(metering, "InvalidProductCodeException", "RegisterUsage", **good | {"ProductCode": "zzz"})
    refused(metering, "InvalidPublicKeyVersionException", "RegisterUsage", **good | {"PublicKeyVersion": 9})
    refused(client("meteringmarketplace", region="eu-west-1"), "InvalidRegionException", "RegisterUsage", **good)
    sandbox.post("tasks", name="laptop", platform="none")
    refused(client("meteringmarketplace", "laptop"), "PlatformNotSupportedException", "RegisterUsage", **good)
    sandbox.post("subscriptions", product_code="abc", subscribed=False)
    refused(metering, "CustomerNotEntitledException", "RegisterUsage", **good)
    refused_with(metering, "ValidationException", "RegisterUsage", ProductCode="abc", PublicKeyVersion=0)
    refused_with(metering, "SerializationException", "RegisterUsage", ProductCode=7, PublicKeyVersion=1)


def test_meter_usage_records_an_hour_once(client, sandbox):
    metering = client("meteringmarketplace")
    first = call(metering, "MeterUsage", **usage(UsageQuantity=17))
    assert call(metering, "MeterUsage", **usage(UsageQuantityAsDecimal="17.00"))["MeteringRecordId"] == first[
        "MeteringRecordId"
    ]
    refused(metering, "DuplicateRequestException", "MeterUsage", **usage(UsageQuantity=18))
    allocations = [
        {"AllocatedUsageQuantity": 10, "Tags": [{"Key": "team", "Value": "a"}]},
        {"AllocatedUsageQuantity": 5},
    ]
    call(metering, "MeterUsage", **usage("gb", UsageQuantity=15, UsageAllocations=allocations, ClientToken="t"))
    conflict = usage("gb", UsageQuantity=16, ClientToken="t")
    refused(metering, "IdempotencyConflictException", "MeterUsage", **conflict)
    dry = call(metering, "MeterUsage", **usage(hours=-1, UsageQuantity=1, DryRun=True))
    assert dry["MeteringRecordId"] == "DryRunOperation"
    assert sandbox.get("bill")["totals"] == {"abc": {"requests": "17", "gb": "15"}}


def test_meter_usage_refuses_by_name(client, sandbox):
    metering = client("meteringmarketplace")
    refused(metering, "InvalidProductCodeException", "MeterUsage", **usage(ProductCode="zzz"))
    refused(metering, "InvalidUsageDimensionException", "MeterUsage", **usage("nope"))
    refused(metering, "TimestampOutOfBoundsException", "MeterUsage", **usage(hours=-7))
    refused(metering, "TimestampOutOfBoundsException", "MeterUsage", **usage(hours=1))
    tag = [{"AllocatedUsageQuantity": 1, "Tags": [{"Key": "k(", "Value": "v"}]}]
    refused(metering, "InvalidTagException", "MeterUsage", **usage(UsageQuantity=1, UsageAllocations=tag))
    part = [{"AllocatedUsageQuantity": 1}]
    refused(
        metering, "InvalidUsageAllocationsException", "MeterUsage", **usage(UsageQuantity=2, UsageAllocations=part)
    )
    elsewhere = client("meteringmarketplace", region="eu-west-1")
    refused(elsewhere, "InvalidEndpointRegionException", "MeterUsage", **usage())
    sandbox.post("subscriptions", product_code="abc", subscribed=False)
    refused(client("meteringmarketplace", "fresh"), "CustomerNotEntitledException", "MeterUsage", **usage())
    refused_with(metering, "ValidationException", "MeterUsage", **usage(UsageQuantity=-1))
    sandbox.post("tasks", name="laptop", platform="none")
    refused_with(client("meteringmarketplace", "laptop"), "PlatformNotSupportedException", "MeterUsage", **usage())


# --- contracts


@pytest.fixture
def license_(sandbox):
    return sandbox.post(
        "licenses",
        product_sku="prod-abc",
        entitlements=[
            {"name": "Users", "unit": "Count", "max_count": 2},
            {"name": "Scans", "unit": "Count", "max_count": 10},
            {"name": "Basic", "unit": "None", "value": "Enabled"},
        ],
        end_ms=START_MS + 48 * HOUR_MS,
    )


def check_out(manager, token, name="Users", unit="Count", value="1", kind="PROVISIONAL"):
    entitlement = {"Name": name, "Unit": unit} | ({"Value": value} if value else {})
    request = REQUESTS["CheckoutLicense"] | {"CheckoutType": kind, "ClientToken": token, "Entitlements": [entitlement]}
    return call(manager, "CheckoutLicense", **request)


def test_a_seat_is_checked_out_extended_and_checked_in(client, sandbox, license_):
    manager = client("license-manager")
    answer = check_out(manager, "t-1")
    assert answer["LicenseArn"] == license_["license_arn"]
    assert answer["Expiration"] == "2026-01-01T11:00:00Z"
    token = answer["LicenseConsumptionToken"]
    sandbox.post("clock/advance", by_ms=50 * 60_000)
    extended = call(manager, "ExtendLicenseConsumption", LicenseConsumptionToken=token)
    assert extended["Expiration"] == "2026-01-01T11:50:00Z"
    refused(manager, "RateLimitExceededException", "ExtendLicenseConsumption", LicenseConsumptionToken=token)
    call(manager, "CheckInLicense", LicenseConsumptionToken=token)
    refused(manager, "ResourceNotFoundException", "CheckInLicense", LicenseConsumptionToken=token)
    refused(manager, "ResourceNotFoundException", "ExtendLicenseConsumption", LicenseConsumptionToken=token)
    assert sandbox.get("seats")["checkouts"] == []


def test_tiers_and_draws(client, sandbox, license_):
    manager = client("license-manager")
    tier = check_out(manager, "t-1", "Basic", "None", None)
    assert tier["EntitlementsAllowed"] == [{"Name": "Basic", "Unit": "None", "Value": "Enabled"}]
    draw = check_out(manager, "t-2", "Scans", value="7", kind="PERPETUAL")
    assert "Expiration" not in draw
    assert check_out(manager, "t-2", "Scans", value="7", kind="PERPETUAL")["LicenseConsumptionToken"] == draw[
        "LicenseConsumptionToken"
    ]
    with pytest.raises(manager.exceptions.NoEntitlementsAllowedException):
        check_out(manager, "t-3", "Scans", value="4", kind="PERPETUAL")
    assert sandbox.get("bill")["drawn"][0]["quantity"] == "7"


def test_licenses_are_read(client, sandbox, license_):
    manager = client("license-manager")
    check_out(manager, "t-1")
    arn = license_["license_arn"]
    shown = call(manager, "GetLicense", LicenseArn=arn)["License"]
    assert (shown["Status"], shown["Version"], shown["Issuer"]["KeyFingerprint"]) == ("AVAILABLE", "1", FINGERPRINT)
    usages = call(manager, "GetLicenseUsage", LicenseArn=arn)["LicenseUsage"]["EntitlementUsages"]
    assert usages[0] == {"Name": "Users", "ConsumedValue": "1", "MaxCount": "2", "Unit": "Count"}
    for _ in range(4):
        entitlements = [{"name": "Users", "unit": "Count", "max_count": 1}]
        sandbox.post("licenses", product_sku="prod-other", entitlements=entitlements)
    pages, token = [], None
    while True:
        page = call(manager, "ListReceivedLicenses", MaxResults=2, **{"NextToken": token} if token else {})
        pages.append(len(page["Licenses"]))
        token = page.get("NextToken")
        if not token:
            break
    assert pages == [2, 2, 1]
    mine = call(manager, "ListReceivedLicenses", Filters=[{"Name": "ProductSKU", "Values": ["prod-abc"]}])
    assert [each["LicenseArn"] for each in mine["Licenses"]] == [arn]
    assert mine["Licenses"][0]["ReceivedMetadata"]["GrantType"] == "BuyerGrant"


def test_contract_calls_refuse_by_name(client, license_):
    manager = client("license-manager")
    good = REQUESTS["CheckoutLicense"]
    refused(manager, "NoEntitlementsAllowedException", "CheckoutLicense", **good | {"ProductSKU": "prod-zzz"})
    refused(manager, "ValidationException", "CheckoutLicense", **good | {"CheckoutType": "SOMETIMES"})
    bad = [{"Name": "Users", "Unit": "Count", "Value": "many"}]
    refused(manager, "InvalidParameterValueException", "CheckoutLicense", **good | {"Entitlements": bad})
    unknown = REQUESTS["GetLicense"]
    refused(manager, "InvalidParameterValueException", "GetLicense", **unknown)
    refused(manager, "InvalidParameterValueException", "GetLicenseUsage", **unknown)
    refused(manager, "ValidationException", "GetLicense", LicenseArn="nonsense")
    refused(manager, "InvalidParameterValueException", "ListReceivedLicenses", NextToken="made-up")
    refused(manager, "ValidationException", "ListReceivedLicenses", MaxResults=0)
    refused(manager, "AuthorizationException", "GetAccessToken", Token="made-up")


# --- every modelled error of every operation, thrown by name


def modelled_errors():
    """One parameter for each error of each operation."""
    session, found = botocore.session.get_session(), []
    for service, operations in OPERATIONS.items():
        for operation in operations:
            for shape in session.get_service_model(service).operation_model(operation).error_shapes:
                found.append(pytest.param(service, operation, shape, id=f"{operation}-{shape.name}"))
    return found


@pytest.mark.parametrize(("service", "operation", "shape"), modelled_errors())
def test_each_modelled_error_is_parsed_into_its_class(client, sandbox, service, operation, shape):
    if operation == "AssumeRoleWithWebIdentity":
        sandbox.post("tasks", name="a", platform="eks")
    sandbox.fault(operation, "error", code=shape.error_code)
    error = refused(client(service), shape.name, operation, **REQUESTS[operation])
    assert error.response["Error"]["Message"] == "An error that the sandbox was told to answer."
    expected = shape.metadata.get("error", {}).get("httpStatusCode")
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    common = {"AccessDeniedException": 403, "InternalServiceErrorException": 500, "ServerInternalException": 500}
    assert status == (expected or common.get(shape.name, 400))
    assert error.response["ResponseMetadata"]["RequestId"]


# `header` and `suffixed` write the code into a header only; botocore's awsJson parser looks at the body alone.
@pytest.mark.parametrize("style", ["type", "namespaced"])
def test_each_error_style_is_understood(client, sandbox, style):
    sandbox.post("switches", error_style=style)
    refused(client("meteringmarketplace"), "InvalidUsageDimensionException", "MeterUsage", **usage("nope"))
    refused(client("license-manager"), "AuthorizationException", "GetAccessToken", Token="made-up")


# --- who calls


def test_keys_and_signatures_are_verified(client, sandbox):
    keys = sandbox.keys("a")
    for changed in ({"aws_access_key_id": "ASIASTRANGER00000000"}, {"aws_session_token": "other"}):
        stranger = client("meteringmarketplace", keys=keys | changed)
        refused_with(stranger, "UnrecognizedClientException", "MeterUsage", **usage())
    forged = client("license-manager", keys=keys | {"aws_secret_access_key": "wrong"})
    refused_with(forged, "InvalidSignatureException", "GetLicense", **REQUESTS["GetLicense"])
    anonymous = client("license-manager", signature_version=UNSIGNED)
    refused_with(anonymous, "MissingAuthenticationTokenException", "GetLicense", **REQUESTS["GetLicense"])
    sandbox.post("switches", iam_denied=["license-manager:GetLicense"])
    refused(client("license-manager"), "AccessDeniedException", "GetLicense", **REQUESTS["GetLicense"])
    sandbox.post("clock", now_ms=START_MS + 24 * HOUR_MS)
    late = client("license-manager", keys=keys)
    refused_with(late, "ExpiredTokenException", "ListReceivedLicenses")


def test_an_operation_that_the_sandbox_does_not_serve_is_unknown(client):
    with pytest.raises(ClientError) as caught:
        client("license-manager").list_tokens()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def provider_session(monkeypatch, **environment):
    """A session that finds its credentials as in a container: by the environment alone."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return boto3.session.Session(region_name="us-east-1")


def test_botos_own_providers_read_the_credentials_of_a_task(sandbox, monkeypatch):
    sandbox.post("switches", credentials_clock="never")
    uri = f"{sandbox.address}/t/web/credentials"
    session = provider_session(monkeypatch, AWS_CONTAINER_CREDENTIALS_FULL_URI=uri)
    metering = session.client("meteringmarketplace", endpoint_url=sandbox.address)
    conftest.watch(metering)
    call(metering, "MeterUsage", **usage(UsageQuantity=3))
    assert session.get_credentials().method == "container-role"
    assert sandbox.get("bill?task=web")["totals"] == {"abc": {"requests": "3"}}


def test_botos_own_providers_read_instance_metadata(sandbox, monkeypatch):
    sandbox.post("switches", credentials_clock="never")
    session = provider_session(monkeypatch, AWS_EC2_METADATA_SERVICE_ENDPOINT=sandbox.address)
    metering = session.client("meteringmarketplace", endpoint_url=sandbox.address)
    refused_with(metering, "PlatformNotSupportedException", "MeterUsage", **usage())
    assert session.get_credentials().method == "iam-role"


def test_botos_own_providers_exchange_the_token_of_a_pod(sandbox, monkeypatch, tmp_path):
    sandbox.post("switches", credentials_clock="never")
    token = tmp_path / "token"
    token.write_text(sandbox.post("tasks/pod/web_identity_token")["token"])
    session = provider_session(
        monkeypatch,
        AWS_WEB_IDENTITY_TOKEN_FILE=str(token),
        AWS_ROLE_ARN="arn:aws:iam::111122223333:role/app",
        AWS_ENDPOINT_URL_STS=sandbox.address,
    )
    metering = session.client("meteringmarketplace", endpoint_url=sandbox.address)
    call(metering, "RegisterUsage", **REQUESTS["RegisterUsage"])
    assert session.get_credentials().method == "assume-role-with-web-identity"
    assert sandbox.get("bill")["registrations"][0]["task"] == "pod"


def sts_client(client):
    return client("sts", keys={}, signature_version=UNSIGNED)


def test_tokens_of_pods_and_licenses_become_credentials(client, sandbox, license_):
    sts = sts_client(client)
    request = REQUESTS["AssumeRoleWithWebIdentity"]
    token = sandbox.post("tasks/pod/web_identity_token")["token"]
    answer = call(sts, "AssumeRoleWithWebIdentity", **request | {"WebIdentityToken": token, "DurationSeconds": 900})
    assert answer["Credentials"]["Expiration"].timestamp() == START + 900
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::111122223333:assumed-role/app/app"

    pod = {
        "aws_access_key_id": answer["Credentials"]["AccessKeyId"],
        "aws_secret_access_key": answer["Credentials"]["SecretAccessKey"],
        "aws_session_token": answer["Credentials"]["SessionToken"],
    }
    caller = call(client("sts", keys=pod), "GetCallerIdentity")
    assert caller["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert caller["Account"] == "111122223333"
    task = call(client("sts"), "GetCallerIdentity")
    assert task["Arn"] == "arn:aws:sts::111122223333:assumed-role/sandbox-a/a"
    refused_with(sts, "MissingAuthenticationTokenException", "GetCallerIdentity")

    anonymous = client("license-manager", keys={}, signature_version=UNSIGNED)
    refresh = sandbox.post(f"licenses/{license_['id']}/token")["token"]
    access = call(anonymous, "GetAccessToken", Token=refresh)["AccessToken"]
    credentials = call(sts, "AssumeRoleWithWebIdentity", **request | {"WebIdentityToken": access})["Credentials"]
    keys = {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
    check_out(client("license-manager", keys=keys), "t")
    for _ in range(9):
        call(anonymous, "GetAccessToken", Token=refresh)
    refused(anonymous, "RateLimitExceededException", "GetAccessToken", Token=refresh)


def anywhere(client, environment):
    """What AWS's samples for Containers Anywhere do, with the variables that they read."""
    refresh = Path(environment["AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE"]).read_text().strip()
    anonymous = client("license-manager", keys={}, signature_version=UNSIGNED)
    access = call(anonymous, "GetAccessToken", Token=refresh)["AccessToken"]
    session = call(
        sts_client(client),
        "AssumeRoleWithWebIdentity",
        RoleArn=environment["AWS_ROLE_ARN"],
        RoleSessionName="aws-sdk-python-1",
        WebIdentityToken=access,
    )
    credentials = session["Credentials"]
    keys = {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
    return client("license-manager", region=environment["AWS_REGION"], keys=keys)


def test_a_container_outside_aws_checks_out_by_its_license_token(client, sandbox, license_, tmp_path):
    environment = sandbox.post("tasks", name="edge", platform="anywhere")["environment"]
    token = tmp_path / "license_token"
    # The file is where the sandbox cannot put it; a secret ends in a new line more often than not.
    token.write_text(sandbox.post("tasks/edge/license_token")["token"] + "\n")
    environment |= {"AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE": str(token)}
    manager = anywhere(client, environment)
    seat = check_out(manager, "t-1")
    assert sandbox.get("seats")["checkouts"][0]["task"] == "edge"
    draw = check_out(manager, "t-2", "Scans", value="7", kind="PERPETUAL")
    assert draw["CheckoutType"] == "PERPETUAL"
    shown = call(manager, "GetLicenseUsage", LicenseArn=license_["license_arn"])["LicenseUsage"]
    consumed = {usage["Name"]: usage["ConsumedValue"] for usage in shown["EntitlementUsages"]}
    assert consumed == {"Users": "1", "Scans": "7"}, "seats in use, and units drawn"
    call(manager, "CheckInLicense", LicenseConsumptionToken=seat["LicenseConsumptionToken"])
    sandbox.post("clock/advance", by_ms=HOUR_MS)
    refused_with(manager, "ExpiredTokenException", "ListReceivedLicenses")
    call(anywhere(client, environment), "ListReceivedLicenses")


def test_a_license_sends_a_caller_in_another_region_home(client, sandbox):
    entitlements = [{"name": "Users", "unit": "Count", "max_count": 1}]
    sandbox.post("licenses", product_sku="prod-abc", entitlements=entitlements, home_region="us-west-2")
    sandbox.post("switches", checkout_only_at_home=True)
    abroad = client("license-manager")
    with pytest.raises(abroad.exceptions.RedirectException) as caught:
        check_out(abroad, "t-1")
    assert caught.value.response["Location"] == "https://license-manager.us-west-2.amazonaws.com"
    check_out(client("license-manager", region="us-west-2"), "t-1")


def test_sts_refuses_by_name(client, sandbox):
    sts = sts_client(client)
    request = REQUESTS["AssumeRoleWithWebIdentity"]
    refused(sts, "InvalidIdentityTokenException", "AssumeRoleWithWebIdentity", **request)
    refused_with(sts, "ValidationError", "AssumeRoleWithWebIdentity", **request | {"DurationSeconds": 1})
    token = sandbox.post("tasks/pod/web_identity_token", ttl_ms=1000)["token"]
    sandbox.post("clock/advance", by_ms=1000)
    refused(sts, "ExpiredTokenException", "AssumeRoleWithWebIdentity", **request | {"WebIdentityToken": token})


# --- faults


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("meteringmarketplace", "MeterUsage", "ThrottlingException"),
        ("license-manager", "GetLicense", "RateLimitExceededException"),
        ("sts", "AssumeRoleWithWebIdentity", "Throttling"),
    ],
)
def test_each_service_throttles_in_its_own_words(client, sandbox, service, operation, code):
    sandbox.fault(operation, "throttle")
    refused_with(client(service), code, operation, **REQUESTS[operation])


@pytest.mark.parametrize("kind", ["reset", "lost_answer"])
def test_a_cut_connection_is_a_connection_error(client, sandbox, kind):
    sandbox.fault("MeterUsage", kind)
    with pytest.raises(HTTPClientError):
        call(client("meteringmarketplace"), "MeterUsage", **usage(UsageQuantity=1))
    assert len(sandbox.get("bill")["records"]) == (1 if kind == "lost_answer" else 0)


def test_botos_standard_retries_bill_a_lost_answer_once(client, sandbox):
    sandbox.fault("MeterUsage", "lost_answer")
    metering = client("meteringmarketplace", retries={"mode": "standard", "total_max_attempts": 3})
    call(metering, "MeterUsage", **usage(UsageQuantity=1))
    assert len(sandbox.get("requests?operation=MeterUsage")["requests"]) == 2
    assert len(sandbox.get("bill")["records"]) == 1


@pytest.mark.parametrize("kind", ["garbage", "html", "empty", "huge"])
def test_nonsense_from_the_middle_is_no_receipt(sandbox, kind):
    sandbox.fault("MeterUsage", kind)
    # Not the watched client: what it would complain about is the point here.
    metering = boto3.session.Session().client(
        "meteringmarketplace",
        region_name="us-east-1",
        endpoint_url=sandbox.address,
        config=Config(retries={"total_max_attempts": 1}),
        **sandbox.keys("a"),
    )
    try:
        answer = call(metering, "MeterUsage", **usage(UsageQuantity=1))
    except UnicodeDecodeError:
        answer = {}
    # botocore takes a page of HTML for a success: only the missing record id gives it away.
    assert "MeteringRecordId" not in answer
    assert sandbox.get("bill")["records"] == []


def test_a_skewed_date_and_a_delay_do_not_hurt_the_answer(client, sandbox):
    sandbox.fault("MeterUsage", "skewed_date", skew_ms=-HOUR_MS)
    answer = call(client("meteringmarketplace"), "MeterUsage", **usage(UsageQuantity=1))
    assert answer["ResponseMetadata"]["HTTPHeaders"]["date"] == "Thu, 01 Jan 2026 09:00:00 GMT"
    sandbox.fault("MeterUsage", "delay", delay_ms=20)
    call(client("meteringmarketplace"), "MeterUsage", **usage(UsageQuantity=1))
    sandbox.fault("MeterUsage", "slow_drip", delay_ms=1)
    call(client("meteringmarketplace"), "MeterUsage", **usage(UsageQuantity=1))


# --- last: nothing was left out


def test_every_operation_was_called_with_success_and_without(client):
    served = {operation for operations in OPERATIONS.values() for operation in operations}
    assert conftest.seen["good"] >= served, served - conftest.seen["good"]
    assert conftest.seen["bad"] >= served, served - conftest.seen["bad"]
