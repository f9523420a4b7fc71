"""A place that nothing can leave: a network namespace with loopback only, and a mount namespace for its files."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

#: Where ECS, EKS Pod Identity and EC2 have their metadata.
LINK_LOCAL = ("169.254.170.2", "169.254.170.23", "169.254.169.254")

#: For documentation only (RFC 5737, RFC 3849): whoever has a way out has one to these too.
OUTSIDE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET, "203.0.113.9"), (socket.AF_INET6, "2001:db8::1"))

SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8913, 0x8914, 0x8916, 0x891C
IFF_UP = 0x1

#: Puts files in their places, in a mount namespace of the one program that it then becomes.
BIND_AND_BECOME = 'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 125; shift 2; done; shift; exec "$@"'


class NoStage(Exception):
    """What is missing for a run that cannot leave this machine, and the next step."""


def enter(script: Path, arguments: list[str]) -> None:
    """Become this same program inside of new namespaces."""
    unshare = shutil.which("unshare")
    if unshare is None:
        raise NoStage("no command `unshare`: the attacks run where nothing can leave; install util-linux")
    outside = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt")]
    command = [unshare, "--net", "--mount"]
    if os.geteuid() != 0:
        command.append("--map-root-user")
    probe = subprocess.run([*command, "--", "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        raise NoStage(
            f"this machine does not permit a network namespace ({probe.stderr.strip()}), and attacks that may reach "
            "the world are not run; run as root, or permit unprivileged user namespaces"
        )
    os.execv(unshare, [*command, "--", sys.executable, str(script), "--inside", *outside, *arguments])


def check_alone(outside: list[str]) -> None:
    """Refuse to go on unless there is no way out of here."""
    inside = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt")]
    if any(here == there for here, there in zip(inside, outside)):
        raise NoStage("the namespaces are those of the caller: `unshare --net --mount` did nothing")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            request = struct.pack("16sH14x", name.encode(), 0)
            flags = struct.unpack("16sH14x", fcntl.ioctl(asked, SIOCGIFFLAGS, request))[1]
            if name != "lo" and flags & IFF_UP:
                raise NoStage(f"network interface `{name}` is up in here: nothing but `lo` may be")
    for family, address in OUTSIDE:
        # Connecting a datagram socket looks for a route and sends nothing.
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((address, 443))
            except OSError:
                continue
        raise NoStage(f"there is a route to {address} in here: nothing may leave")


def set_up(folder: Path) -> None:
    """Bring loopback up with the link-local addresses, and forget the machine's name servers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        up = struct.pack("16sH14x", b"lo", IFF_UP)
        fcntl.ioctl(control, SIOCSIFFLAGS, up)
        for index, address in enumerate(LINK_LOCAL):
            alias = f"lo:{index}".encode()
            for request, text in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.255")):
                where = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))
                fcntl.ioctl(control, request, struct.pack("16s16s", alias, where))
    nobody = folder / "resolv.conf"
    nobody.write_text("# nobody\n")
    if Path("/etc/resolv.conf").exists():
        bind(nobody, Path("/etc/resolv.conf"))


def bind(source: Path, place: Path) -> None:
    """Put `source` over `place` for everything that starts in here."""
    command = ["mount", "--bind", str(source), str(place)]
    if subprocess.run(command, check=False).returncode != 0:
        raise NoStage(f"cannot mount over `{place}`: the run needs the right to mount in its own namespace")


def beneath(mounts: list[tuple[Path, Path]], command: list[str]) -> list[str]:
    """`command`, run with these files in these places."""
    pairs = [str(path) for pair in mounts for path in pair]
    return ["unshare", "--mount", "--", "sh", "-c", BIND_AND_BECOME, "sh", *pairs, "--", *command]
