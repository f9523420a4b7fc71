"""Starts a guard and ends. MPGUARD_CONFIG: the configuration as JSON."""

import os

import mpguard

guard = mpguard.init_from_json(os.environ["MPGUARD_CONFIG"])
guard.require()
