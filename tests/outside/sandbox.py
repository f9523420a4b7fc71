"""Starts `mpguard sandbox` and speaks its control API."""

import json
import os
import subprocess
import urllib.error
import urllib.request

START_MS = 1_767_261_600_000  # 2026-01-01T10:00:00Z
HOUR_MS = 3_600_000


class Sandbox:
    """A sandbox process with a frozen clock; it ends with its standard input."""

    def __init__(self, *arguments):
        binary = os.environ.get("MPGUARD_BIN", "mpguard")
        command = [binary, "sandbox", "--clock", "frozen", "--start", "2026-01-01T10:00:00Z", "--exit-with-stdin"]
        self.process = subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        assert line, f"`{binary} sandbox` ended before it was ready"
        self.address = json.loads(line)["address"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def request(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method, headers=headers or {})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def get(self, path):
        return json.loads(self.request("GET", f"/_sandbox/{path}"))

    def post(self, path, **body):
        return json.loads(self.request("POST", f"/_sandbox/{path}", body))

    def reset(self):
        self.post("reset")
        self.post("clock", now_ms=START_MS)

    def fault(self, operation, kind, **more):
        return self.post("faults", operation=operation, kind=kind, **more)

    def keys(self, task):
        """Credentials of a container, as keyword arguments of a client."""
        answer = json.loads(self.request("GET", f"/t/{task}/credentials"))
        keys = {"aws_access_key_id": answer["AccessKeyId"], "aws_secret_access_key": answer["SecretAccessKey"]}
        return keys | ({"aws_session_token": answer["Token"]} if "Token" in answer else {})
