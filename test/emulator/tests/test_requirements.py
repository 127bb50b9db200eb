"""requirements.txt has what requirements.in asks for and all that this needs, with hashes: pip installs nothing else."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDERS = [Path(__file__).parent.parent, Path(__file__).parent.parent.parent / "fuzz"]
# The systems and Pythons that the README promises.
SYSTEMS = [
    {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
]
PYTHONS = ["3.11", "3.12", "3.13"]


@pytest.fixture(params=FOLDERS, ids=lambda f: f.name)
def folder(request) -> Path:
    return request.param


def asked(folder: Path) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in (folder / "requirements.in").read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def locked(folder: Path) -> list[tuple[Requirement, str]]:
    """Each pinned package with all that stands under it: its hashes, and what it is needed by."""
    entries = re.split(r"^(?=[a-z0-9])", (folder / "requirements.txt").read_text(), flags=re.MULTILINE)[1:]
    return [(Requirement(entry.partition("\\")[0].strip()), entry) for entry in entries]


def test_every_package_is_pinned_with_hashes(folder):
    for requirement, entry in locked(folder):
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), requirement
        assert not requirement.url, requirement


def test_what_is_asked_for_is_pinned_and_nothing_else_said_to_be(folder):
    direct = {(canonicalize_name(r.name), str(r.specifier)) for r, entry in locked(folder) if "-r requirements.in" in entry}
    assert direct == {(canonicalize_name(r.name), str(r.specifier)) for r in asked(folder)}


def test_what_needs_a_package_is_there(folder):
    names = {r.name for r, _ in locked(folder)} | {"-r requirements.in"}
    for requirement, entry in locked(folder):
        needed_by = re.findall(r"^    #(?: via)? +(\S.*)$", entry.replace("# via\n", ""), flags=re.MULTILINE)
        assert needed_by and set(needed_by) <= names, requirement


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: f"{s['sys_platform']}-{s['platform_machine']}")
def test_all_that_is_needed_is_pinned(folder, system, python):
    """Walks through what the installed packages say that they need, there and in that Python."""
    environment = {**default_environment(), **system, "python_version": python, "python_full_version": python + ".0", "extra": ""}
    pins = {r.name: r for r, _ in locked(folder) if r.marker is None or r.marker.evaluate(environment)}
    seen, left = set(), asked(folder)
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        if (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        assert name in pins, f"{requirement} is needed: run make requirements"
        version = str(pins[name].specifier).removeprefix("==")
        assert requirement.specifier.contains(version, prereleases=True), f"{pins[name]} is not {requirement}"
        try:
            installed = distribution(name)
        except PackageNotFoundError:  # another system's, or the machine's own Python does without
            continue
        if installed.version != version:
            continue
        for line in installed.requires or []:
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({**environment, "extra": extra}) for extra in {"", *requirement.extras}):
                left.append(need)
