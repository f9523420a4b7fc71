"""What is wrong with a set-up, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from . import _mpguard
from ._answers import DoctorReport

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._config import Config


@overload
def doctor() -> DoctorReport: ...
@overload
def doctor(**config: Unpack[Config]) -> DoctorReport: ...
def doctor(**config: object) -> DoctorReport:
    """Look at everything that a guard of this configuration would need here, and say how to mend what is not well.

    Changes nothing: no registration, no usage, no seat, no unit. It needs no guard, disturbs none, and waits for a
    minute at most. Without a configuration only the surroundings are looked at; one that cannot be used is a finding
    like others. ``print(mpguard.doctor(...))`` shows it to a person.

    Args:
        config: The keys of docs/CONFIGURATION.md, as :func:`mpguard.init` takes them.

    Source: docs/DOCTOR.md.
    """
    return DoctorReport._made(*_mpguard.examine(config))


def doctor_from_json(text: str) -> DoctorReport:
    """As :func:`doctor`, for a JSON object of keys; what cannot be read as one is a finding like others."""
    return DoctorReport._made(*_mpguard.examine_json(text, False))
