"""Is everything ready for the release of a tag? `python .ci/release.py v0.1.0` says what is not."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def unready(tag: str, version: str, changelog: str) -> list[str]:
    """A sentence for each thing that keeps this tag from being a release."""
    number = re.escape(version)
    problems = []
    if tag != f"v{version}":
        problems.append(f"the tag {tag} is not v{version}, the version in src/sgdyson/_version.py")
    if not re.search(rf"^## \[{number}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        problems.append(f"CHANGELOG.md has no dated section for {version}")
    waiting = re.search(r"^## \[Unreleased\]\n(.*?)^## ", changelog, re.MULTILINE | re.DOTALL)
    if waiting is None or waiting[1].strip():
        problems.append("CHANGELOG.md has changes that are unreleased, or no section for them")
    return problems


def version_in(root: Path) -> str:
    """The one number of the version."""
    text = (root / "src" / "sgdyson" / "_version.py").read_text(encoding="utf-8")
    return re.search(r'__version__ = "(.*)"', text)[1]


if __name__ == "__main__":
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    problems = unready(sys.argv[1], version_in(ROOT), changelog)
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    raise SystemExit(bool(problems))
