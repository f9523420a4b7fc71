"""A WSGI application that counts each request. Made when the module is imported: before the fork, or after it.

CONFIG is the configuration. A server of sellers runs it: gunicorn, uWSGI.
"""

import json
import os

import mpguard

guard = mpguard.init(**json.loads(os.environ["CONFIG"]))
requests = guard.meter("requests")


def application(environ, start_response):
    if environ["PATH_INFO"] == "/count":
        requests.add(1)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
