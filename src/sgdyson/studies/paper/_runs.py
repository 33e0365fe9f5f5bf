"""The folder of a reproduction, and the campaigns in it, which go on where they were stopped."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from ..._folders import cannot_be_used, claim_folder
from ..._version import __version__
from ...campaign import Campaign, Spec
from ._presets import Run

MARKER = "reproduction.json"


def open_folder(out: Path, preset: str, seed: int) -> None:
    """Claim the folder for this reproduction, or recognise it as already claimed.

    Raises:
        InvalidInputError: a folder with other contents, or one that cannot be written.
    """
    claim = {"preset": preset, "seed": seed, "sgdyson_version": __version__}
    claim_folder(out, MARKER, claim, "a reproduction")
    try:
        (out / "campaigns").mkdir(exist_ok=True)
        (out / "figures").mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_be_used(out, error) from error


class Runs:
    """Runs a campaign when the first of its runs is asked for.

    Args:
        out: folder of the reproduction.
        planned: the campaigns, by name.
        say: told when one begins.
        progress: show a bar on a terminal.

    Attributes:
        records: a row for each run that was asked for.
    """

    def __init__(
        self, out: Path, planned: Mapping[str, Spec], say: Callable[[str], None], progress: bool
    ) -> None:
        self._out, self._planned, self._say, self._progress = out, planned, say, progress
        self._campaigns: dict[str, Campaign] = {}
        self.records: list[dict[str, Any]] = []

    def load(self, run: Run) -> xr.Dataset:
        """The data of a run."""
        if run.campaign not in self._campaigns:
            self._campaigns[run.campaign] = self._finished(run.campaign)
        campaign = self._campaigns[run.campaign]
        data = campaign.as_run(run.index)
        self.records.append(_record(run, data, campaign.seconds(run.index)))
        return data

    def _finished(self, name: str) -> Campaign:
        campaign = Campaign(self._planned[name], self._out / "campaigns" / name)
        replicas = sum(setting.replicas for setting in campaign.spec.settings)
        self._say(f"  campaign {name}: {len(campaign.spec.settings)} settings, {replicas} replicas")
        campaign.run(progress=self._progress)
        return campaign


def _record(run: Run, data: xr.Dataset, seconds: float) -> dict[str, Any]:
    return {
        "run": run.name,
        "campaign": run.campaign,
        "learning_rate": run.learning_rate,
        "batch_size": run.batch_size,
        "replicas": data.sizes["replica"],
        "updates": run.setting.total_updates,
        "records": data.sizes["time"],
        "diverged": int(data.diverged.sum()),
        "seconds": seconds,
    }
