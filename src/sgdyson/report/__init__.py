"""The HTML page of a reproduction."""

from ._page import write_report as write_report
