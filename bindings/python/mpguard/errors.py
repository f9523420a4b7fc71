# Generated from core/src/error.rs by bindings/python/tools/generate.py; do not edit.
"""Errors of mpguard: one class for each code, all derived from :class:`Error`."""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it, without the cost of importing typing
if TYPE_CHECKING:
    from typing import ClassVar, Literal


class Error(Exception):
    """Base of every error of mpguard. Its text says what failed, on which thing, and the next step."""

    code: ClassVar[str]
    """The word used in every language and in logs."""
    number: ClassVar[int]
    """The number used in C."""
    kind: ClassVar[Literal["usage", "retry", "entitlement", "environment", "internal"]]
    """What to do: fix the call, try again later, show the text to the buyer, repair the place, report a bug."""
    retryable: ClassVar[bool]
    """True when the same call may succeed later."""


class InvalidArgumentError(Error):
    """A ``NULL``, a bad encoding, or a value out of range."""

    code = "INVALID_ARGUMENT"
    number = 101
    kind = "usage"
    retryable = False


class InvalidConfigError(Error):
    """Unknown key, bad value, or keys that contradict each other."""

    code = "INVALID_CONFIG"
    number = 102
    kind = "usage"
    retryable = False


class UnknownDimensionError(Error):
    """The product has no such dimension."""

    code = "UNKNOWN_DIMENSION"
    number = 103
    kind = "usage"
    retryable = False


class InvalidTagError(Error):
    """Tags that AWS would refuse."""

    code = "INVALID_TAG"
    number = 104
    kind = "usage"
    retryable = False


class UnknownEntitlementError(Error):
    """The configuration names no such entitlement."""

    code = "UNKNOWN_ENTITLEMENT"
    number = 105
    kind = "usage"
    retryable = False


class QuantityOutOfRangeError(Error):
    """Negative, or more than a counter can hold. Nothing was counted."""

    code = "QUANTITY_OUT_OF_RANGE"
    number = 106
    kind = "usage"
    retryable = False


class WrongMeterKindError(Error):
    """``add`` on a level, or ``set`` on a sum. Nothing was counted."""

    code = "WRONG_METER_KIND"
    number = 107
    kind = "usage"
    retryable = False


class StaleHandleError(Error):
    """The handle was freed, or never was one."""

    code = "STALE_HANDLE"
    number = 108
    kind = "usage"
    retryable = False


class ShutDownError(Error):
    """The guard was shut down."""

    code = "SHUT_DOWN"
    number = 109
    kind = "usage"
    retryable = False


class PendingError(Error):
    """AWS has not answered yet."""

    code = "PENDING"
    number = 201
    kind = "retry"
    retryable = True


class TimedOutError(Error):
    """The time given to the call is over."""

    code = "TIMED_OUT"
    number = 202
    kind = "retry"
    retryable = True


class UnavailableError(Error):
    """AWS cannot be reached, or asked to wait."""

    code = "UNAVAILABLE"
    number = 203
    kind = "retry"
    retryable = True


class NoSeatError(Error):
    """Every seat of the contract is taken."""

    code = "NO_SEAT"
    number = 204
    kind = "retry"
    retryable = True


class DeferredError(Error):
    """``shutdown`` was called from a listener and completes when the listener returns."""

    code = "DEFERRED"
    number = 205
    kind = "retry"
    retryable = True


class NotEntitledError(Error):
    """No valid subscription or license."""

    code = "NOT_ENTITLED"
    number = 301
    kind = "entitlement"
    retryable = False


class AccessDeniedError(Error):
    """The role of the task or pod lacks a permission."""

    code = "ACCESS_DENIED"
    number = 302
    kind = "entitlement"
    retryable = False


class PlatformNotSupportedError(Error):
    """Not an ECS task or EKS pod."""

    code = "PLATFORM_NOT_SUPPORTED"
    number = 303
    kind = "entitlement"
    retryable = False


class InvalidRegionError(Error):
    """The call went to another Region than the task's."""

    code = "INVALID_REGION"
    number = 304
    kind = "entitlement"
    retryable = False


class InvalidProductError(Error):
    """Product code or key version unknown to AWS."""

    code = "INVALID_PRODUCT"
    number = 305
    kind = "entitlement"
    retryable = False


class SignatureInvalidError(Error):
    """The signed answer does not verify."""

    code = "SIGNATURE_INVALID"
    number = 306
    kind = "entitlement"
    retryable = False


class LicenseEndedError(Error):
    """The license has ended, or was suspended."""

    code = "LICENSE_ENDED"
    number = 307
    kind = "entitlement"
    retryable = False


class ExhaustedError(Error):
    """The contract's prepaid units are used up."""

    code = "EXHAUSTED"
    number = 308
    kind = "entitlement"
    retryable = False


class StorageError(Error):
    """The state directory cannot be used."""

    code = "STORAGE"
    number = 401
    kind = "environment"
    retryable = False


class ThreadError(Error):
    """A thread could not be started."""

    code = "THREAD"
    number = 402
    kind = "environment"
    retryable = False


class InternalError(Error):
    """A bug in mpguard; the host goes on."""

    code = "INTERNAL"
    number = 501
    kind = "internal"
    retryable = False


__all__ = [
    "AccessDeniedError",
    "DeferredError",
    "Error",
    "ExhaustedError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidConfigError",
    "InvalidProductError",
    "InvalidRegionError",
    "InvalidTagError",
    "LicenseEndedError",
    "NoSeatError",
    "NotEntitledError",
    "PendingError",
    "PlatformNotSupportedError",
    "QuantityOutOfRangeError",
    "ShutDownError",
    "SignatureInvalidError",
    "StaleHandleError",
    "StorageError",
    "ThreadError",
    "TimedOutError",
    "UnavailableError",
    "UnknownDimensionError",
    "UnknownEntitlementError",
    "WrongMeterKindError",
]
