"""The command ``python -m mpguard``."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from . import _mpguard
from ._answers import DoctorReport

if TYPE_CHECKING:
    from collections.abc import Sequence

_CANNOT = 2
"""Exit status when a verb could not do what was asked."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m mpguard",
        description="License and meter a container product of AWS Marketplace.",
    )
    parser.add_argument("--version", action="version", version=f"mpguard {_mpguard.__version__}")
    verbs = parser.add_subparsers(metavar="VERB")
    summary = "look at everything that a product needs to be licensed and metered here, and say how to mend it"
    verb = verbs.add_parser(
        "doctor",
        help=summary,
        description=f"{summary.capitalize()}. Changes nothing. Run it where the product runs.",
        epilog="Exit status: 0 all is well, 1 something should be looked at, 2 something does not work.",
    )
    verb.add_argument(
        "--config",
        metavar="FILE",
        help="configuration as `init_from_json` takes it: a JSON file, or `-` for standard input; "
        "without one, only the surroundings are looked at",
    )
    verb.add_argument("--json", action="store_true", help="write JSON")
    verb.set_defaults(run=_doctor)
    chosen = parser.parse_args(arguments)
    if "run" not in chosen:
        parser.print_help(sys.stderr)
        return _CANNOT
    status: int = chosen.run(chosen)
    return status


def _doctor(chosen: argparse.Namespace) -> int:
    try:
        text = None if chosen.config is None else _read(chosen.config)
    except (OSError, UnicodeError) as error:
        name = "of standard input" if chosen.config == "-" else f"`{chosen.config}`"
        print(f"error: cannot read configuration {name}: {error}", file=sys.stderr)
        return _CANNOT
    report = DoctorReport._made(*_mpguard.examine_json(text, sys.stdout.isatty()))
    if chosen.json:
        print(json.dumps(report.to_dict(), indent=2, ensure_ascii=False))
    else:
        print(report.text, end="")
    return report.exit_code


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.buffer.read().decode()
    with open(name, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    sys.exit(main())
