"""HTML pages: of a reproduction, of an analysis, of a tracked run."""

from ._page import write_report as write_report
from ._run_page import write_run_page as write_run_page
