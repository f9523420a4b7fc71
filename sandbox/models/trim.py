"""Trim AWS service models to the operations that the sandbox serves.

    python sandbox/models/trim.py FOLDER_OF_MODELS

FOLDER_OF_MODELS holds `meteringmarketplace.json.gz`, `license-manager.json.gz` and `sts.json.gz`, each a
`service-2.json` of botocore. Documentation texts are left out; every other byte of meaning is AWS's own.
"""

import gzip
import json
import pathlib
import sys

KEEP = {
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


def without_documentation(value):
    if isinstance(value, dict):
        return {key: without_documentation(inner) for key, inner in value.items() if key != "documentation"}
    if isinstance(value, list):
        return [without_documentation(inner) for inner in value]
    return value


def reachable(shapes, roots):
    seen, todo = set(), list(roots)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        shape = shapes[name]
        todo += [member["shape"] for member in shape.get("members", {}).values()]
        todo += [shape[key]["shape"] for key in ("member", "key", "value") if key in shape]
    return seen


def trim(model, operations):
    kept = {name: model["operations"][name] for name in operations}
    roots = []
    for operation in kept.values():
        roots += [operation[side]["shape"] for side in ("input", "output") if side in operation]
        roots += [error["shape"] for error in operation.get("errors", [])]
    names = reachable(model["shapes"], roots)
    shapes = {}
    for name in sorted(names):
        # A member called `documentation` does not occur in these models, so the key is always prose.
        shapes[name] = without_documentation(model["shapes"][name])
    return {
        "version": model["version"],
        "metadata": model["metadata"],
        "operations": without_documentation(kept),
        "shapes": shapes,
    }


def main(source):
    here = pathlib.Path(__file__).parent
    for name, operations in KEEP.items():
        with gzip.open(pathlib.Path(source) / f"{name}.json.gz") as stream:
            model = json.load(stream)
        (here / f"{name}.json").write_text(json.dumps(trim(model, operations), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
