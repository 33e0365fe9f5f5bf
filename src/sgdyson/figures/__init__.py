"""What a figure is made of, and its two back ends; knows no physics."""

from ._backend import prepare_matplotlib as prepare_matplotlib
from ._canvas import STYLE as STYLE
from ._elements import INK as INK
from ._elements import PALETTE as PALETTE
from ._elements import Drawing as Drawing
from ._elements import Heatmap as Heatmap
from ._elements import Histogram as Histogram
from ._elements import HorizontalLine as HorizontalLine
from ._elements import Line as Line
from ._elements import Mark as Mark
from ._elements import Panel as Panel
from ._elements import Points as Points
from ._elements import Regions as Regions
from ._elements import VerticalLines as VerticalLines
from ._figure import Figure as Figure
from ._matplotlib import draw as draw
from ._matplotlib import save as save
from ._plotly import to_html as to_html
from ._plotly import to_plotly as to_plotly
from .report import write_report as write_report
