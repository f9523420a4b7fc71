"""Holds raw answers against the output shapes of botocore's service models.

botocore's own parser ignores what it does not know and does not look at patterns; a sandbox that is only
parsed could drift away from the model unseen. So the bytes are checked, member by member.
"""

import json
import re
from xml.etree import ElementTree

from botocore.utils import parse_timestamp


def defects_of_json(shape, body):
    return list(walk(shape, json.loads(body), shape.name))


def defects_of_query(shape, body):
    root = ElementTree.fromstring(body)
    wrapper = root.find("{*}" + shape.serialization["resultWrapper"])
    if wrapper is None:
        return [f"no <{shape.serialization['resultWrapper']}> in {body!r}"]
    return list(walk(shape, tree(wrapper), shape.name))


def tree(element):
    """Elements as dictionaries; a leaf is its text."""
    children = list(element)
    if not children:
        return element.text or ""
    return {child.tag.partition("}")[2]: tree(child) for child in children}


def walk(shape, value, path):
    check = {
        "structure": structure,
        "list": items,
        "string": text,
        "timestamp": timestamp,
        "integer": number,
        "long": number,
        "boolean": boolean,
    }[shape.type_name]
    yield from check(shape, value, path)


def structure(shape, value, path):
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no structure"
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{path}: {name} is missing"
    for name, inner in value.items():
        if name not in shape.members:
            yield f"{path}: {name} is not in the model"
        elif inner is not None:
            yield from walk(shape.members[name], inner, f"{path}.{name}")


def items(shape, value, path):
    if not isinstance(value, list):
        yield f"{path}: {value!r} is no list"
        return
    yield from bounds(shape, len(value), path)
    for index, item in enumerate(value):
        yield from walk(shape.member, item, f"{path}[{index}]")


def text(shape, value, path):
    if not isinstance(value, str):
        yield f"{path}: {value!r} is no text"
        return
    yield from bounds(shape, len(value), path)
    pattern = shape.metadata.get("pattern")
    # `\u10000` is Java's; Python cannot read such a class, and the texts are plain ASCII anyway.
    if pattern and "\\u" not in pattern and not re.fullmatch(pattern, value):
        yield f"{path}: {value!r} does not fit {pattern}"
    if shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {shape.enum}"


def timestamp(shape, value, path):
    try:
        parse_timestamp(value)
    except ValueError:
        yield f"{path}: {value!r} is no timestamp"


def number(shape, value, path):
    if isinstance(value, bool) or not isinstance(value, int):
        yield f"{path}: {value!r} is no whole number"
        return
    yield from bounds(shape, value, path)


def boolean(shape, value, path):
    if not isinstance(value, bool):
        yield f"{path}: {value!r} is no boolean"


def bounds(shape, size, path):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield f"{path}: {size} is less than {low}"
    if high is not None and size > high:
        yield f"{path}: {size} is more than {high}"
