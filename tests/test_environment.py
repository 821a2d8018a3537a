"""environment.yml and pyproject.toml are two lists of the same thing, kept by hand: this keeps them equal."""

import re
from pathlib import Path

import pytest
import yaml

tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11")

CHECKOUT = Path(__file__).resolve().parents[1]
# Packages that conda-forge calls by another name
CONDA_NAME = {"torch": "pytorch", "playwright": "playwright-python"}
# What only conda has to be told: pip itself, for the last lines
ONLY_CONDA = {"pip": ""}


def split(requirement: str) -> tuple[str, str]:
    """Name and bounds: "torch>=2.6" -> ("torch", ">=2.6")."""
    name, bounds = re.fullmatch(r"([A-Za-z0-9._-]+)\s*([<>=!~][^;]*)?", requirement.strip()).groups(
        default=""
    )
    return name.lower(), bounds.replace(" ", "")


def of_pyproject(project: dict) -> dict[str, str]:
    """Conda name -> bounds, of everything that pyproject.toml asks for: the package, its extras, the dev group."""
    itself = project["project"]["name"]
    wanted = [*project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    wanted += [line for line in project["dependency-groups"]["dev"] if not line.startswith(itself)]
    named = dict(map(split, wanted))
    assert len(named) == len(wanted), "a package is listed twice in pyproject.toml"
    found = {CONDA_NAME.get(name, name): bounds for name, bounds in named.items()}
    return {"python": project["project"]["requires-python"].replace(" ", ""), **found}


def of_environment(environment: dict) -> dict[str, str]:
    """Conda name -> bounds, of environment.yml, the packages that pip brings there included."""
    lines = [line for line in environment["dependencies"] if isinstance(line, str)]
    for part in environment["dependencies"]:
        if isinstance(part, dict):
            lines += [line for line in part["pip"] if not line.startswith("-e ")]
    named = dict(map(split, lines))
    assert len(named) == len(lines), "a package is listed twice in environment.yml"
    return named


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def environment() -> dict:
    return yaml.safe_load((CHECKOUT / "environment.yml").read_text())


def test_same_packages_and_bounds(project, environment):
    assert of_environment(environment) == of_pyproject(project) | ONLY_CONDA


@pytest.mark.parametrize("change", ["bound", "missing", "more"])
def test_a_difference_is_seen(project, environment, change):
    altered = of_environment(environment)
    if change == "bound":
        altered["pytorch"] = ">=2.5"
    elif change == "missing":
        del altered["nbval"]
    else:
        altered["albumentations"] = ">=2"
    assert altered != of_pyproject(project) | ONLY_CONDA


def test_the_package_itself_comes_from_this_folder(environment):
    (pip,) = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    assert [line for line in pip if line.startswith("-e")] == ["-e ."]


def test_conda_forge_is_the_only_channel_and_no_host_is_named(environment):
    assert environment["channels"] == ["conda-forge"]
    assert "://" not in (CHECKOUT / "environment.yml").read_text()


def test_no_name_is_mapped_in_vain(project):
    dependencies = (CHECKOUT / "pyproject.toml").read_text()
    assert all(f'"{name}>=' in dependencies for name in CONDA_NAME)
