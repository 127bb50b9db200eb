"""The launcher: one line when ready, and gone when its parent is."""

import json
import signal
import urllib.request

import pytest
from conftest import Emulator
from strict_moto.launch import launch, url_of
from test_faults import test_connection_closes_without_an_answer as closes_without_an_answer

WITHOUT_WAITRESS = "import sys; sys.modules['waitress'] = None; from strict_moto.__main__ import main; main()"


def ready(url: str) -> dict:
    with urllib.request.urlopen(f"{url}/emulator/ready", timeout=10) as response:
        return json.load(response)


@pytest.mark.parametrize("program", [("-m", "strict_moto"), ("-c", WITHOUT_WAITRESS)], ids=["default", "werkzeug"])
def test_ends_with_its_parent(program):
    process = launch("--no-enforce", program=program)
    url = url_of(process)
    assert url.startswith("http://127.0.0.1:")
    assert ready(url) == {"ready": True, "enforce": False}
    rest, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert rest == b""


def test_ends_on_sigterm():
    process = launch()
    assert ready(url_of(process))["enforce"] is True
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    process.communicate()


def test_werkzeug_closes_connections_too(account):
    process = launch("--no-enforce", program=("-c", WITHOUT_WAITRESS))
    try:
        closes_without_an_answer(Emulator(url_of(process)), account, "reset", 0)
    finally:
        process.communicate(timeout=10)
