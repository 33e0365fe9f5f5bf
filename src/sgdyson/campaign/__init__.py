"""Campaigns: spec -> settings -> chunks -> executor -> store."""

from ._campaign import Campaign as Campaign
from ._gather import Gathered as Gathered
from ._gather import gather as gather
from ._lists import replaced as replaced
from ._parts import part_of as part_of
from ._setting import Setting as Setting
from ._spec import Spec as Spec
from ._spec import parse_spec as parse_spec
from ._spec import read_spec as read_spec
