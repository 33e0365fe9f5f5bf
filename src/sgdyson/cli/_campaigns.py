"""Campaigns: a spec to start from, its runs, what is done and whether it is still right."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from .._terminal import tell
from ._app import Command, app
from ._outputs import (
    CsvFile,
    Force,
    Scheduler,
    Workers,
    check_outputs,
    out_folder,
    to_standard_output,
)  # fmt: skip

_PANEL = "Campaigns"
_MOST_FAILURES = 20

Folder = Annotated[Path, typer.Argument(help="Folder of a campaign.")]


@app.command(cls=Command, rich_help_panel=_PANEL)
def new(
    name: Annotated[str, typer.Argument(help="Of the campaign; the file is NAME.toml.")],
    like: Annotated[
        str | None,
        typer.Option(help="A campaign of the paper: rbm_batch, rbm_rate, teacher_online, ..."),
    ] = None,
    force: Force = False,
) -> None:
    """Write a commented spec to start a campaign from.

    Example: sgdyson new scaling --like rbm_batch && sgdyson run scaling.toml --dry-run
    """
    from ..campaign.starter import write_starter

    path = write_starter(name, like, replace=force)
    tell(f"{path} written; next: sgdyson run {path}")


@app.command(cls=Command, rich_help_panel=_PANEL)
def run(
    spec: Annotated[Path, typer.Argument(help="A TOML file; `sgdyson new NAME` writes one.")],
    out: Annotated[Path | None, out_folder("the campaign's name")] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    reuse: Annotated[
        Path | None,
        typer.Option("--from", help="Another campaign; what it has of the same is not run again."),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER/PARTS", help="One part alone, as 3/16, in a folder of its own in --out."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show settings, time, disk and memory; run nothing.")
    ] = False,
) -> None:
    """Run every setting of a campaign; stopped and called again, only what is missing.

    With more replicas or values in the spec, the folder grows, and only what is new is run.

    Example: sgdyson run scaling.toml --out results --workers 2
    """
    from ..campaign import Campaign, part_of
    from ..campaign.starter import describe

    number = None if part is None else part_of(part)
    campaign = Campaign.from_file(spec, out, part=number)
    if dry_run:
        tell(describe(campaign), stderr=False)
        return
    campaign.run(workers=workers, scheduler=scheduler, reuse=reuse)
    tell(f"{campaign.progress().text()} finished in {campaign.store.folder}")


@app.command(cls=Command, rich_help_panel=_PANEL)
def gather(
    parts: Annotated[list[Path], typer.Argument(help="Folder of the parts, or several.")],
    out: Annotated[Path | None, out_folder("the campaign's name")] = None,
) -> None:
    """Make one campaign of parts that `run --part` wrote; called again, take what is new.

    Exit status 1 when parts are missing or not finished: they are told by number.

    Example: sgdyson gather scaling-parts --out results
    """
    from ..campaign import gather

    campaign, chunks, missing = gather(parts, out)
    tell(f"{chunks} chunks taken; {campaign.progress().text()} finished in {campaign.store.folder}")
    for sentence in missing:
        tell(sentence)
    raise typer.Exit(1 if missing else 0)


@app.command(cls=Command, rich_help_panel=_PANEL)
def status(folder: Folder) -> None:
    """Tell what is done.

    Example: sgdyson status results
    """
    from ..campaign import Campaign

    campaign = Campaign.from_folder(folder)
    chunks, in_all = campaign.finished()
    tally = campaign.progress()
    tell(f"{tally.text()}, chunks {chunks}/{in_all} finished in {folder}", stderr=False)


@app.command(cls=Command, rich_help_panel=_PANEL)
def verify(folder: Folder) -> None:
    """Hash all files again. Exit status 1 when one differs: `run` puts it right.

    Example: sgdyson verify results
    """
    from ..campaign import Campaign

    campaign = Campaign.from_folder(folder)
    bad = campaign.verify()
    damaged = campaign.store.bad_frame()
    tell(f"{campaign.finished()[0]} chunks are good, {len(bad)} are not", stderr=False)
    for chunk in bad[:_MOST_FAILURES]:
        tell(f"  setting {chunk.setting}, chunk {chunk.number}: will be run again", stderr=False)
    for name in damaged[:_MOST_FAILURES]:
        tell(f"  metadata {name}: will be written again", stderr=False)
    raise typer.Exit(1 if bad or damaged else 0)


@app.command(cls=Command, rich_help_panel=_PANEL)
def export(
    folder: Folder,
    netcdf_file: Annotated[
        Path | None, typer.Option("--netcdf", metavar="FILE", help="Write netCDF-4 to FILE.")
    ] = None,
    csv_file: CsvFile = None,
    force: Force = False,
) -> None:
    """Write a campaign as one netCDF file, or as a table of every level of every record.

    What is not finished is left out of the table, is NaN in the file, and is told.

    Example: sgdyson export results --netcdf results.nc
    """
    from ..campaign import Campaign
    from ..errors import require

    require(
        netcdf_file is not None or csv_file is not None,
        "nothing is asked for; add --netcdf FILE or --csv FILE.",
    )
    check_outputs(force=force, source=folder, netcdf=netcdf_file, csv=csv_file)
    campaign = Campaign.from_folder(folder)
    tally = campaign.progress()
    if tally.counts != tally.totals:
        tell(f"{folder} is not finished: {tally.text()}; the rest is left out")
    if netcdf_file is not None:
        campaign.to_netcdf(netcdf_file)
    if csv_file is not None:
        campaign.to_csv(sys.stdout if to_standard_output(csv_file) else csv_file)
