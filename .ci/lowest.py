"""The lowest versions that pyproject declares, as constraints for pip.

`python .ci/lowest.py > lowest.txt`, then `pip install -e ".[test]" -c lowest.txt`.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("data", "netcdf", "test")  # what the short set needs beside the dependencies
# newer ones warn at every import, whatever the filters, that the crc32c of the lowest zarr is old
BESIDE = {"numcodecs": "0.16.3"}
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?>=([0-9.]+)")


def lowest(project: dict) -> dict[str, str]:
    """Name and lowest version of every requirement that states one."""
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for extra in EXTRAS for line in extras[extra])]
    matches = [REQUIREMENT.match(line) for line in lines]
    return {match[1]: match[2] for match in matches if match}


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, version in (lowest(project) | BESIDE).items():
        sys.stdout.write(f"{name}=={version}\n")
