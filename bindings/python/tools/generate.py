"""Writes mpguard/errors.py and mpguard/_words.py from the core's lists; run by `MPGUARD_UPDATE=1 pytest`.

The core has one list for each: codes in core/src/error.rs, kinds and topics of events in core/src/event.rs,
verdicts and reasons in core/src/model/license.rs, statuses in core/src/model/finding.rs. Their doc comments are read as well, so that a class says
here what its code says there.
"""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "mpguard"
CORE = Path(__file__).parents[3] / "core" / "src"

ORIGIN = "# Generated from {} by bindings/python/tools/generate.py; do not edit."

ERRORS = '''\
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
    kind: ClassVar[Literal[{kinds}]]
    """What to do: fix the call, try again later, show the text to the buyer, repair the place, report a bug."""
    retryable: ClassVar[bool]
    """True when the same call may succeed later."""
'''

ERROR = '''

class {name}Error(Error):
    """{doc}"""

    code = "{code}"
    number = {number}
    kind = "{kind}"
    retryable = {retryable}
'''


def errors() -> str:
    """mpguard/errors.py."""
    source = (CORE / "error.rs").read_text(encoding="utf-8")
    row = re.compile(r'^ {4}((?:/// .*\n {4})+)(\w+) = (\d+), "(\w+)", (\w+);', re.MULTILINE)
    rows = row.findall(source)
    kinds = re.findall(r'ErrorKind::\w+ => "(\w+)"', source)
    out = [ORIGIN.format("core/src/error.rs"), "\n", ERRORS.format(kinds=_literals(kinds))]
    for doc, name, number, code, kind in rows:
        values = {"kind": kind.lower(), "retryable": kind == "Retry"}
        out.append(ERROR.format(name=name, doc=_doc(doc), code=code, number=number, **values))
    names = sorted(["Error", *(f"{row[1]}Error" for row in rows)])
    return "".join(out) + _all(names)


def words() -> str:
    """mpguard/_words.py."""
    event = (CORE / "event.rs").read_text(encoding="utf-8")
    finding = (CORE / "model" / "finding.rs").read_text(encoding="utf-8")
    license = (CORE / "model" / "license.rs").read_text(encoding="utf-8")
    lists = {
        "EventKind": ("What happened.", re.findall(r'^ {4}\w+ = \d+, "(\w+)", \w+;', event, re.MULTILINE)),
        "FindingStatus": ("How a matter stands.", re.findall(r'Status::\w+ => "(\w+)"', finding)),
        "Reason": ("Why the verdict is what it is.", re.findall(r'Reason::\w+ => "(\w+)"', license)),
        "Topic": ("What an event is about.", re.findall(r'Topic::\w+ => "(\w+)"', event)),
        "Verdict": ("May the product run?", re.findall(r'Verdict::\w+ => "(\w+)"', license)),
    }
    out = [
        ORIGIN.format("core/src/event.rs, core/src/model/finding.rs and core/src/model/license.rs"),
        '\n"""The words in which a guard answers."""\n\n',
        "from __future__ import annotations\n\nfrom typing import Literal\n",
    ]
    for name, (doc, values) in lists.items():
        lines = "".join(f'    "{value}",\n' for value in values)
        out.append(f'\n{name} = Literal[\n{lines}]\n"""{doc}"""\n')
    return "".join(out)


def _doc(comment: str) -> str:
    lines = [line.strip().removeprefix("/// ") for line in comment.strip().splitlines()]
    return " ".join(lines).replace("`", "``")


def _literals(words: list[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _all(names: list[str]) -> str:
    lines = "".join(f'    "{name}",\n' for name in names)
    return f"\n\n__all__ = [\n{lines}]\n"


FILES = {PACKAGE / "errors.py": errors, PACKAGE / "_words.py": words}

if __name__ == "__main__":
    for path, text in FILES.items():
        path.write_text(text(), encoding="utf-8")
