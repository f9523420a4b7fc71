"""Keyword configuration: every key by its name, times as timedelta, errors that name the place."""

from __future__ import annotations

import json
from datetime import timedelta
from types import MappingProxyType
from typing import Any, get_type_hints

import mpguard
import pytest
from mpguard import _config, _mpguard

VALID: dict[str, Any] = {
    "product_code": "3xmpl",
    "pricing": "usage",
    "dimensions": [{"name": "requests"}],
    "sandbox": "http://127.0.0.1:1/t/app",
    "startup_timeout_ms": 0,
}
TIMES = [key.removesuffix("_ms") for key in _mpguard.config_keys() if key.endswith("_ms")]


def refused(*parts: str, **keys: Any) -> None:
    """`init` with these keys beside valid ones fails, and the text has all of `parts`."""
    with pytest.raises(mpguard.InvalidConfigError) as raised:
        mpguard.init(**{**VALID, **keys})
    for part in parts:
        assert part in str(raised.value)


def accepted(**keys: Any) -> None:
    """`init` with these keys beside valid ones gives a guard."""
    with mpguard.init(**{**VALID, **keys}) as guard:
        guard.shutdown(timedelta(0))


def test_an_unknown_key_is_named_with_its_nearest_neighbour() -> None:
    refused("`prodct_code`", "did you mean `product_code`", prodct_code="3xmpl")
    refused("`colour`", "docs/CONFIGURATION.md", colour="red")


def test_a_missing_product_code_is_named() -> None:
    refused("`product_code` is missing", product_code=None)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("product_code", 3, "a text"),
        ("product_code", "", "a text that is not empty"),
        ("pricing", "gratis", "`hourly`"),
        ("startup_timeout_ms", "5", "a whole number"),
        ("startup_timeout_ms", 5.5, "a whole number"),
        ("startup_timeout_ms", True, "a whole number"),
        ("startup_timeout_ms", -1, "a whole number"),
        ("startup_timeout_ms", 2**80, "a whole number"),
        ("dimensions", "requests", "a list"),
        ("dimensions", {"name": "requests"}, "a list"),
        ("extra_ca_pem", "no pem", "PEM"),
    ],
)
def test_a_bad_value_is_refused_with_its_key_and_what_is_allowed(key: str, value: Any, allowed: str) -> None:
    refused(f"`{key}`", allowed, **{key: value})


@pytest.mark.parametrize("value", [b"-----BEGIN", {1, 2}, object(), timedelta])
def test_a_value_that_no_key_takes_is_refused_with_its_type(value: Any) -> None:
    refused("`extra_ca_pem`", f"`{type(value).__name__}`", extra_ca_pem=value)


def test_a_bad_value_inside_a_list_is_refused_with_its_place() -> None:
    refused("`dimensions[1].name`", dimensions=[{"name": "a"}, {"name": 3}])
    refused("`dimensions[0].kind`", "`bytes`", dimensions=[{"name": "a", "kind": b"sum"}])
    refused("`dimensions[0]`", "`nmae`", "known here: `name`", dimensions=[{"nmae": "a"}])


def test_a_bad_public_key_is_refused_at_the_start() -> None:
    key = {"version": 7, "pem": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}
    product = {"code": "3xmpl", "public_keys": [key]}
    keys: dict[str, Any] = {"pricing": "hourly", "dimensions": None, "trusted_products": [product]}
    refused("version `7`", "`3xmpl`", "BEGIN PUBLIC KEY", **keys)


def test_a_lone_surrogate_is_refused_as_a_value() -> None:
    refused("`product_code`", product_code="\ud800")


def test_none_is_the_default() -> None:
    accepted(proxy=None, grace_ms=None, grace=None)


def test_any_sequence_and_mapping_will_do() -> None:
    accepted(dimensions=(MappingProxyType({"name": "requests"}),))


def test_there_are_times() -> None:
    assert {"startup_timeout", "grace", "recheck_interval"} <= set(TIMES)


@pytest.mark.parametrize("key", TIMES)
def test_each_time_is_also_taken_as_a_timedelta(key: str) -> None:
    # One that is too long for every key shows what arrived, in milliseconds.
    refused(f"`{key}_ms`", f"`{400 * 86_400_000}`", **{f"{key}_ms": None, key: timedelta(days=400)})


def test_a_timedelta_within_range_is_taken() -> None:
    accepted(startup_timeout_ms=None, startup_timeout=timedelta(0))
    accepted(grace=timedelta(hours=1, milliseconds=1))
    accepted(recheck_interval=timedelta(minutes=5))


def test_a_time_given_twice_is_refused() -> None:
    refused("`grace`", "`grace_ms`", "both", grace=timedelta(hours=1), grace_ms=1)


def test_a_number_is_not_a_timedelta_and_the_other_way_round() -> None:
    refused("`grace`", "expected a timedelta", "`int`", "`grace_ms`", grace=5)
    refused("`grace_ms`", "`timedelta`", "set `grace`", grace_ms=timedelta(hours=1))


def test_a_negative_time_is_refused() -> None:
    refused("`grace`", "not negative", grace=timedelta(seconds=-1))


def test_keys_are_keywords_only() -> None:
    with pytest.raises(TypeError):
        mpguard.init("3xmpl")  # type: ignore[arg-type,call-arg]


def test_json_gives_the_same_guard() -> None:
    with mpguard.init_from_json(json.dumps(VALID)) as guard:
        assert guard.verdict() == "pending"
        guard.shutdown(timedelta(0))


@pytest.mark.parametrize(
    ("text", "part"),
    [("{", "cannot read configuration"), ("[]", "a list"), ('{"colour": 1}', "`colour`"), ("", "JSON")],
)
def test_json_that_is_no_configuration_is_refused(text: str, part: str) -> None:
    with pytest.raises(mpguard.InvalidConfigError, match=part):
        mpguard.init_from_json(text)


def test_the_types_name_every_key_and_every_time() -> None:
    assert set(get_type_hints(_config.Config)) == {*_mpguard.config_keys(), *TIMES}
    assert _config.Config.__required_keys__ == {"pricing", "product_code"}
