"""The folder of a reproduction, and the campaigns in it, which go on where they were stopped."""

from collections.abc import Callable, Mapping, Sequence
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
    """Runs of campaigns, each run when it is first asked for.

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

    def load(self, runs: Sequence[Run]) -> list[xr.Dataset]:
        """The data of runs. Those of one campaign that are not finished run side by side."""
        for name in dict.fromkeys(run.campaign for run in runs):
            self._finish(name, [run.index for run in runs if run.campaign == name])
        return [self._loaded(run) for run in runs]

    def _loaded(self, run: Run) -> xr.Dataset:
        campaign = self._campaigns[run.campaign]
        data = campaign.as_run(run.index)
        self.records.append(_record(run, data, campaign.seconds(run.index)))
        return data

    def _finish(self, name: str, settings: list[int]) -> None:
        if name not in self._campaigns:
            folder = self._out / "campaigns" / name
            self._campaigns[name] = Campaign(self._planned[name], folder)
        campaign = self._campaigns[name]
        all_settings = campaign.spec.settings
        replicas = sum(all_settings[index].replicas for index in settings)
        of = f"{len(settings)} of {len(all_settings)} settings"
        self._say(f"  campaign {name}: {of}, {replicas} replicas")
        campaign.run(progress=self._progress, settings=settings)


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
