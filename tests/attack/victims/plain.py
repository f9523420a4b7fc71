"""The request of a seller who needs no SDK: the standard library, as it comes.

Argument: a URL. Says in one line of JSON whether somebody answered; licensed when the answer is 200.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request

url = os.path.expandvars(sys.argv[1])
try:
    with urllib.request.urlopen(url, timeout=5) as answer:
        told = {"plain": "licensed", "body": answer.read().decode()}
except (OSError, ValueError) as error:
    told = {"plain": f"{type(error).__name__}: {error}"}
print(json.dumps(told))
