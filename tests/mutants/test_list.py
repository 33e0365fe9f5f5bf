"""The list of mutants fits the code; `python -m tests.mutants` asks whether they are killed."""

import pytest
from mutating import ROOT, mutants


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: f"{mutant.file}: {mutant.name}")
def test_a_mutant_is_one_line_that_is_there(mutant):
    assert mutant.path().read_text(encoding="utf-8").count(mutant.before) == 1
    assert "\n" not in mutant.before + mutant.after
    assert mutant.after not in ("", mutant.before)
    assert (ROOT / mutant.tests[0]).is_file()
