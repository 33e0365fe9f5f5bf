"""A campaign in parts, as an array job runs it, is that of one run, and says what it lacks."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from test_campaign import SPEC, files, written
from test_reuse import spec
from typer.testing import CliRunner

from sgdyson import cli
from sgdyson.campaign import Campaign, _claim, _layout, _spec, gather, part_of
from sgdyson.campaign._parts import stretch
from sgdyson.errors import InvalidInputError

SMALL = SPEC.replace("updates = 400", "updates = 20").replace("= 100", "= 10")
SMALL = SMALL.replace("replicas = 200", "replicas = 100").replace("= 300", "= 0")
PARTS = 3


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(_layout, "_REPLICAS", 64)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four settings of two chunks, in three parts, and in one run."""
    folder = tmp_path_factory.mktemp("parts")
    path = written(folder, SMALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_layout, "_REPLICAS", 64)
        Campaign.from_file(path, folder / "one").run(progress=False)
        for number in range(1, PARTS + 1):
            part = (number, PARTS)
            Campaign.from_file(path, folder / "parts", part=part).run(progress=False)
    return folder


@pytest.fixture
def parts(made, tmp_path):
    return shutil.copytree(made / "parts", tmp_path / "parts")


def the(number, parts):
    return parts / f"part-{number}-of-{PARTS}"


def test_together_they_are_one_run(made, parts, tmp_path):
    campaign, chunks, missing = gather([parts], tmp_path / "out")
    assert (chunks, missing) == (8, [])
    assert files(tmp_path / "out") == files(made / "one")
    assert campaign.verify() == []
    assert campaign.progress().text() == "settings 4/4, replicas 400/400"
    claims = [json.loads((f / "spec.json").read_text()) for f in (made / "one", tmp_path / "out")]
    assert claims[0] == claims[1]
    assert gather([parts], tmp_path / "out").chunks == 0


def test_every_chunk_is_in_one_part(parts):
    own = [Campaign.from_folder(the(number, parts)) for number in (1, 2, 3)]
    chunks = [chunk for campaign in own for chunk in campaign.store.done()]
    assert len(chunks) == len(set(chunks)) == 8
    counts = [sum(campaign.progress().counts) for campaign in own]
    assert sum(counts) == 400
    assert max(counts) <= 164
    for campaign, replicas in zip(own, counts, strict=True):
        assert campaign.progress().totals == campaign.progress().counts
        assert campaign.replicas() == replicas


@pytest.mark.parametrize("of", [1, 2, 7, 40])
def test_works_are_divided_in_a_row_and_evenly(of):
    weights = np.random.default_rng(of).uniform(1, 2, size=29)
    own = [stretch(list(weights), (number, of)) for number in range(1, of + 1)]
    assert [item for part in own for item in part] == list(range(29))
    sums = [weights[part.start : part.stop].sum() for part in own]
    assert max(sums) <= weights.sum() / of + 2


def test_what_is_missing_is_told_by_number_and_may_come_later(made, parts, tmp_path):
    kept = shutil.copytree(the(2, parts), tmp_path / "kept")
    shutil.rmtree(the(2, parts))
    shutil.rmtree(the(1, parts))
    half = Campaign.from_folder(the(3, parts))
    half.store.forget([max(half.store.done())])
    shell = CliRunner()
    words = ["gather", str(parts), "--out", str(tmp_path / "out")]
    told = shell.invoke(cli.app, words)
    assert told.exit_code == 1
    assert "parts 1, 2 of 3 are missing" in told.stderr
    assert "part 3 of 3 is not finished (settings 1/2," in told.stderr
    Campaign.from_file(made / "spec.toml", parts, part=(1, 3)).run(progress=False)
    Campaign.from_file(made / "spec.toml", parts, part=(3, 3)).run(progress=False)
    told = shell.invoke(cli.app, words)
    assert told.exit_code == 1
    assert "part 2 of 3 is missing" in told.stderr
    assert shell.invoke(cli.app, [*words, str(kept)]).exit_code == 0
    assert files(tmp_path / "out") == files(made / "one")


def test_what_is_missing_may_be_run_in_the_whole(made, parts, tmp_path):
    shutil.rmtree(the(2, parts))
    gather([parts], tmp_path / "out").campaign.run(progress=False)
    assert files(tmp_path / "out") == files(made / "one")


def test_parts_without_work_are_not_missed(made, tmp_path):
    path = made / "spec.toml"
    own = [Campaign.from_file(path, tmp_path / "parts", part=(n, 20)) for n in range(1, 21)]
    busy = [number for number, campaign in enumerate(own, 1) if campaign.replicas()]
    assert len(busy) == 8
    own[busy[0] - 1].run(progress=False)
    told = f"parts {', '.join(map(str, busy[1:]))} of 20 are missing"
    assert gather([tmp_path / "parts"], tmp_path / "out").missing == [told]
    for number in busy[1:]:
        own[number - 1].run(progress=False)
    assert gather([tmp_path / "parts"], tmp_path / "out").missing == []
    assert files(tmp_path / "out") == files(made / "one")


def test_precision_is_reached_in_each_part(tmp_path):
    adaptive = spec(replicas=64, target_error=0.001, quantity="level_mean")
    one = Campaign(adaptive, tmp_path / "one")
    counts = one.run(progress=False).finished.sum("replica").values
    assert counts.max() > 64
    for number in (1, 2):
        Campaign(adaptive, tmp_path / "parts" / str(number), part=(number, 2)).run(progress=False)
    assert gather([tmp_path / "parts"], tmp_path / "out").missing == []
    assert files(tmp_path / "out") == files(tmp_path / "one")


class TestRefused:
    def test_another_spec_by_name_and_key(self, made, parts, tmp_path):
        shutil.rmtree(the(2, parts))
        other = written(tmp_path, SMALL.replace("seed = 3", "seed = 4"))
        Campaign.from_file(other, parts, part=(2, 3)).run(progress=False)
        with pytest.raises(InvalidInputError, match=r"part-2-of-3 is of .*\(seed = 4 was 3\)"):
            gather([parts], tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_more_replicas_are_another_spec(self, made, parts, tmp_path):
        shutil.rmtree(the(3, parts))
        other = written(tmp_path, SMALL.replace("replicas = 100", "replicas = 120"))
        Campaign.from_file(other, parts, part=(3, 3)).run(progress=False)
        with pytest.raises(InvalidInputError, match=r"part-3-of-3 is of .*replicas = 100 was 120"):
            gather([parts], tmp_path / "out")

    def test_another_version_by_name(self, parts, tmp_path, monkeypatch):
        claim = the(2, parts) / "spec.json"
        jax = _claim.versions()["jax"]
        claim.write_text(claim.read_text().replace(f'"jax": "{jax}"', '"jax": "0.0.1"'))
        with pytest.raises(InvalidInputError, match=r"part-2-of-3 was begun with jax 0\.0\.1"):
            gather([parts], tmp_path / "out")

    def test_a_whole_campaign(self, made, parts, tmp_path):
        with pytest.raises(InvalidInputError, match="one holds a whole campaign"):
            gather([parts, made / "one"], tmp_path / "out")

    def test_a_part_that_is_there_twice(self, parts, tmp_path):
        shutil.copytree(the(1, parts), parts / "copy")
        with pytest.raises(InvalidInputError, match=r"part-1-of-3 is part 1, and so is .*copy"):
            gather([parts], tmp_path / "out")

    def test_parts_of_another_division(self, made, parts, tmp_path):
        Campaign.from_file(made / "spec.toml", parts, part=(1, 4)).run(progress=False)
        with pytest.raises(InvalidInputError, match=r"part-1-of-4.*one of 3; gather those"):
            gather([parts], tmp_path / "out")

    def test_damage_with_its_time_set_back(self, parts, tmp_path):
        victim = next((the(1, parts) / "data.zarr" / "levels" / "c").rglob("0/0/0/0/0"))
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 1
        victim.write_bytes(content)
        with pytest.raises(InvalidInputError, match="has other contents"):
            gather([parts], tmp_path / "out")

    def test_no_parts(self, tmp_path):
        with pytest.raises(InvalidInputError, match="holds no part"):
            gather([tmp_path])
        with pytest.raises(InvalidInputError, match="is no folder"):
            gather([tmp_path / "none"])

    def test_a_folder_of_something_else(self, made, parts, tmp_path):
        other = Campaign(spec(replicas=1), tmp_path / "out")
        other.run(progress=False)
        before = files(tmp_path / "out")
        with pytest.raises(InvalidInputError, match="another spec"):
            gather([parts], tmp_path / "out")
        assert files(tmp_path / "out") == before

    def test_a_part_does_not_grow(self, parts, tmp_path):
        larger = written(tmp_path, SMALL.replace("replicas = 100", "replicas = 200"))
        with pytest.raises(InvalidInputError, match=r"part 1 of 3 .*parts do not grow"):
            Campaign.from_file(larger, parts, part=(1, 3)).run(progress=False)

    @pytest.mark.parametrize(
        "text", ["0/3", "4/3", "3", "1/0", "-1/3", "a/b", "1/3/4", "1/1000000"]
    )
    def test_what_is_no_part(self, text):
        with pytest.raises(
            InvalidInputError, match=r"--part .* must be NUMBER/PARTS, such as 3/16"
        ):
            part_of(text)


def test_processes_at_the_same_time(tmp_path):
    """The commands of an array job, started together; without --out each knows where to go."""
    path = written(tmp_path, SMALL)
    # chunks of the processes are of the size that users have; their programs are compiled here
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_layout, "_REPLICAS", 256)
        Campaign.from_file(path, tmp_path / "one").run(progress=False)
    command = [sys.executable, "-m", "sgdyson"]
    jobs = [
        subprocess.Popen(
            [*command, "run", path.name, "--part", f"{number}/2", "--workers", "1"], cwd=tmp_path
        )
        for number in (1, 2)
    ]
    assert [job.wait() for job in jobs] == [0, 0]
    assert {folder.name for folder in (tmp_path / "small-parts").iterdir()} == {
        "part-1-of-2", "part-2-of-2",
    }  # fmt: skip
    gather([tmp_path / "small-parts"], tmp_path / "out")
    assert files(tmp_path / "out") == files(tmp_path / "one")


def test_dry_run_tells_of_the_part(made, tmp_path):
    words = ["run", str(made / "spec.toml"), "--part", "2/3", "--dry-run", "--out", str(tmp_path)]
    told = CliRunner().invoke(cli.app, words).output
    own = Campaign.from_folder(the(2, made / "parts")).replicas()
    assert f"part 2 of 3 has {own} of 400 replicas" in told
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_an_earlier_version_is_read(made, tmp_path, monkeypatch):
    """Its digest, and the checks of its manifest, are of that version."""

    def version(number):
        monkeypatch.setattr(_spec, "__version__", number)
        monkeypatch.setattr(_claim, "versions", lambda: {"sgdyson": number})

    version("0.0.9")
    Campaign.from_file(made / "spec.toml", tmp_path / "old").run(progress=False)
    version("0.1.1")
    old = Campaign.from_folder(tmp_path / "old")
    assert bool(old.open().finished.all())
    assert old.verify() == []
    with pytest.raises(InvalidInputError, match=r"begun with sgdyson 0\.0\.9, and this is 0\.1\.1"):
        old.run(progress=False)
    with pytest.raises(InvalidInputError, match=r"begun with sgdyson 0\.0\.9, and this is 0\.1\.1"):
        Campaign.from_file(made / "spec.toml", tmp_path / "old").run(progress=False)
