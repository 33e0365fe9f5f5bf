"""In which network, under which optimiser, is learning Dyson Brownian motion?"""

from ._study import study_dyson_test as study_dyson_test
