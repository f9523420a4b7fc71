"""Starts a guard and ends. MPGUARD_CONFIG: the configuration as JSON."""

import json
import os

import mpguard

guard = mpguard.init(**json.loads(os.environ["MPGUARD_CONFIG"]))
guard.require()
