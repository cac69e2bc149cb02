#!/usr/bin/env python3
"""Look at a TLS port as strangers do, with sslscan and testssl.sh, and judge what they find.

scripts/tls_scan.py               start a server with a development certificate and look at it
scripts/tls_scan.py HOST:PORT     look at a server that runs

Exit status 1 when anything but TLS 1.2 and 1.3 with authenticated encryption and forward secrecy is
spoken, 2 when neither tool is installed (Debian: apt-get install sslscan testssl.sh).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOLS = {"TLSv1.2", "TLSv1.3"}
AEAD = re.compile(r"(GCM|CHACHA20|CCM)")
FORWARD_SECRET = re.compile(r"^(ECDHE|TLS_)")
"""How names of suites begin that keep old recordings closed: those of TLS 1.3 all do."""
LISTENING = re.compile(r"gRPC +(\S+):(\d+) ")
SEVERE = {"MEDIUM", "HIGH", "CRITICAL"}
TESTSSL_CHECKS = ("-p", "-s", "-f", "--vulnerable")
ABOUT_THE_CERTIFICATE = re.compile(r"^(cert|DNS_CAA|OCSP)")
"""Findings about a certificate that was made to try things out are none about the server."""


def judge_sslscan(document: str) -> list[str]:
    """What is wrong in sslscan's XML; empty when nothing is."""
    root = ET.fromstring(document)  # noqa: S314 - written by the tool that we have started
    wrong = [
        f"speaks {one.get('type', '').upper()} {one.get('version')}"
        for one in root.iter("protocol")
        if one.get("enabled") == "1"
        and f"{one.get('type', '').upper().replace('TLS', 'TLSv')}{one.get('version')}"
        not in PROTOCOLS
    ]
    suites = [(one.get("sslversion", ""), one.get("cipher", "")) for one in root.iter("cipher")]
    if not suites:
        wrong.append("no suite was found: is it a TLS port?")
    wrong += [
        f"takes {suite} over {version}"
        for version, suite in suites
        if version not in PROTOCOLS or not AEAD.search(suite) or not FORWARD_SECRET.search(suite)
    ]
    wrong += ["compresses" for one in root.iter("compression") if one.get("supported") == "1"]
    wrong += [
        "is open to Heartbleed" for one in root.iter("heartbleed") if one.get("vulnerable") == "1"
    ]
    return wrong


def judge_testssl(document: str) -> list[str]:
    """What is wrong in the findings of testssl.sh; empty when nothing is."""
    return [
        f"{one['id']}: {one['finding']}"
        for one in json.loads(document)
        if one["severity"] in SEVERE and not ABOUT_THE_CERTIFICATE.search(one["id"])
    ]


def scan(target: str) -> int:
    """Look at a port with every tool there is; print what was found."""
    tools = {name: shutil.which(name) for name in ("sslscan", "testssl")}
    if not any(tools.values()):
        print("neither sslscan nor testssl is installed: apt-get install sslscan testssl.sh")
        return 2
    wrong = []
    if tools["sslscan"]:
        done = subprocess.run(  # noqa: S603 - the tool on this machine's path
            [tools["sslscan"], "--no-colour", "--xml=-", target],
            capture_output=True,
            text=True,
            check=True,
        )
        wrong += [f"sslscan: {line}" for line in judge_sslscan(done.stdout)]
        for one in ET.fromstring(done.stdout).iter("cipher"):  # noqa: S314 - the same
            print(f"sslscan: {one.get('sslversion')} {one.get('cipher')}")
    if tools["testssl"]:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            words = [*TESTSSL_CHECKS, "--quiet", "--warnings", "off", "--jsonfile", str(report)]
            subprocess.run(  # noqa: S603 - the same
                [tools["testssl"], *words, target], stdout=subprocess.DEVNULL, check=False
            )
            wrong += [f"testssl: {line}" for line in judge_testssl(report.read_text("utf-8"))]
    for line in wrong:
        print(f"WRONG {line}")
    print("only TLS 1.2 and 1.3 with authenticated encryption" if not wrong else "not good enough")
    return 1 if wrong else 0


@contextmanager
def served() -> Iterator[str]:
    """The address of a server with a development certificate, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="longmen-tls-") as folder:
        Path(folder).chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if "LONGMEN" not in name}
        chosen = {"LONGMEN_PORT": "0", "LONGMEN_WORKERS": "1", "LONGMEN_DATA": f"{folder}/data"}
        process = subprocess.Popen(
            [sys.executable, "-m", "longmen_server", "serve", "--tls-development"],
            env={**kept, **chosen, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            found = next(filter(None, map(LISTENING.search, process.stdout)), None)
            if found is None:
                raise SystemExit("the server did not start")
            yield f"{found[1]}:{found[2]}"
        finally:
            process.terminate()
            process.communicate()


def main() -> int:
    """Parse the command line and scan."""
    if len(sys.argv) > 1:
        return scan(sys.argv[1])
    with served() as target:
        return scan(target)


if __name__ == "__main__":
    sys.exit(main())
