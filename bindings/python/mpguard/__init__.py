"""mpguard: entitlement, metering and seats of AWS Marketplace container products.

One :func:`init` call, then callbacks::

    with mpguard.init(
        product_code="3xmpl", pricing="usage", dimensions=[{"name": "requests"}], on_event=print
    ) as guard:
        guard.meter("requests").add(3)
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it, without the cost of importing typing

from . import errors
from ._guard import Guard, init, init_from_json
from ._mpguard import Meter, Seat, __version__
from .errors import *  # noqa: F403 - one class for each code, listed in errors.__all__

if TYPE_CHECKING:
    from . import aio
    from ._answers import (
        Account,
        DoctorReport,
        Entitlement,
        Event,
        Finding,
        FlushReport,
        License,
        ShutdownReport,
        Stats,
    )
    from ._config import Config
    from ._doctor import doctor, doctor_from_json
    from ._words import EventKind, FindingStatus, Reason, Topic, Verdict

# Imported at first use: dataclasses and asyncio cost more to import than a guard to start.
_LATER = {
    "Account": "_answers",
    "Config": "_config",
    "DoctorReport": "_answers",
    "Entitlement": "_answers",
    "Event": "_answers",
    "EventKind": "_words",
    "Finding": "_answers",
    "FindingStatus": "_words",
    "FlushReport": "_answers",
    "License": "_answers",
    "Reason": "_words",
    "ShutdownReport": "_answers",
    "Stats": "_answers",
    "Topic": "_words",
    "Verdict": "_words",
    "doctor": "_doctor",
    "doctor_from_json": "_doctor",
}

__all__ = [
    "AccessDeniedError",
    "Account",
    "Config",
    "DeferredError",
    "DoctorReport",
    "Entitlement",
    "Error",
    "Event",
    "EventKind",
    "ExhaustedError",
    "Finding",
    "FindingStatus",
    "FlushReport",
    "Guard",
    "InternalError",
    "InvalidArgumentError",
    "InvalidConfigError",
    "InvalidProductError",
    "InvalidRegionError",
    "InvalidTagError",
    "License",
    "LicenseEndedError",
    "Meter",
    "NoSeatError",
    "NotEntitledError",
    "PendingError",
    "PlatformNotSupportedError",
    "QuantityOutOfRangeError",
    "Reason",
    "Seat",
    "ShutDownError",
    "ShutdownReport",
    "SignatureInvalidError",
    "StaleHandleError",
    "Stats",
    "StorageError",
    "ThreadError",
    "TimedOutError",
    "Topic",
    "UnavailableError",
    "UnknownDimensionError",
    "UnknownEntitlementError",
    "Verdict",
    "WrongMeterKindError",
    "__version__",
    "aio",
    "doctor",
    "doctor_from_json",
    "errors",
    "init",
    "init_from_json",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "aio":
        return import_module(".aio", __name__)
    if name in _LATER:
        value: object = getattr(import_module(f".{_LATER[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
