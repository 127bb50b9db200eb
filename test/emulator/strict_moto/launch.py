"""Starts the emulator in a process of its own, for tests in Python; Go has package emulator."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def launch(*arguments: str, program: tuple[str, ...] = ("-m", "strict_moto")) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,  # the emulator ends when this closes
        stdout=subprocess.PIPE,
    )


def url_of(process: subprocess.Popen) -> str:
    """Waits until the emulator is ready."""
    return json.loads(process.stdout.readline())["url"]


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[str]:
    """The URL of an emulator that lives as long as the block."""
    process = launch(*arguments)
    try:
        yield url_of(process)
    finally:
        process.communicate(timeout=10)
