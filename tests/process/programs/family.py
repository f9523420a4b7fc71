"""A parent that forks children which only add, or one that outlives it. Argument: configuration.

Says the process ids of the children, and is then killed or told to end.
"""

import json
import os
import sys
import time

import mpguard

guard = mpguard.init(**json.loads(sys.argv[1]))
meter = guard.meter("requests")
print(json.dumps({"pid": os.getpid()}), flush=True)
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        # Never another call than this one: the package sees to it that somebody leads.
        while True:
            if os.path.exists(sys.argv[2]):
                meter.add(1)
                os.write(1, b'"added"\n')  # in one piece: three processes share the pipe
                while True:
                    time.sleep(1)
            time.sleep(0.01)
    children.append(child)
print(json.dumps(children), flush=True)
sys.stdin.readline()
