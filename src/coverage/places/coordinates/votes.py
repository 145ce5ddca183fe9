"""Whether another reading of a layer's numbers fits clearly better: the features vote."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtrc

from coverage.places.coordinates.misfits import REACH_M
from coverage.places.coordinates.systems import Numbers


@dataclass(frozen=True)
class Rule:
    """What features of one kind can tell.

    `margin_m`: a misfit up to this says nothing. `chance_share`: of the features that lie outside, the share that a
    wrong reading may bring home. `far_chance_share`: the same for those that lie out of reach. `fit_share`:
    another reading must bring this share of all features within reach. `outside`: in words what is off.
    """

    margin_m: float
    chance_share: float
    far_chance_share: float
    fit_share: float
    outside: tuple[str, str]


# Fixes by phone and drawn borders are good to some 20 m. Right data held against simplified borders, with blurred
# points and wrong codes, gave a wrong reading at most 0.3 of the votes where a hundred and more features were there;
# with 124 communes, another zone puts a wrong code right once in 124. Lists with up to half of the codes wrong can still be told.
NAMED = Rule(20.0, 1 / 3, 1 / 50, 0.5, ("nằm ngoài khu vực của mình", "lie outside their areas"))
# Without codes the features cross the outer border together, and those of another province may land inside by chance:
# nearly all must agree.
UNNAMED = Rule(
    20.0, 3 / 4, 3 / 4, 0.9, ("nằm ngoài các khu vực đã biết", "lie outside the areas that are known")
)
# In Lâm Đồng 91 of 124 centres agree with the polygons to 100 m (most have three decimals of a degree: 78 m), nearly
# all others are kilometres off and do not vote.
CENTRES = Rule(
    100.0,
    1 / 10,
    1 / 50,
    0.5,
    ("không nằm quanh tâm đã biết của xã", "do not lie around the centre known for their code"),
)
# Features out of reach while the others fit: a wrong code that names a neighbouring commune may be put right by the
# next zone, some 27 km away; five without one against are more than that.
PART = Rule(20.0, 1 / 5, 1 / 5, 0.5, ("nằm ngoài khu vực của mình", "lie outside their areas"))
# One file is tried in some ten other readings.
_SIGNIFICANCE = 0.001
# Which of two readings that both fit is named is worth less certainty.
_LOOSE = 0.05


def clearly_better(before: Numbers, after: Numbers, rule: Rule) -> bool:
    """Whether the second reading's misfits (m, one per feature) beat the first's: more votes than chance gives.

    A feature votes where it lies outside in one of the two readings, unless out of reach in both: then its code
    is wrong. It votes for the second where that at least halves its misfit. Binomial test at 0.001: 7 votes
    without one against for areas, 4 for centres, 2 where features come from out of reach.
    """
    votes, against = _votes(before, after, rule)
    from_far = votes & (before >= REACH_M)
    return _significant(votes, against, rule.chance_share, _SIGNIFICANCE) or _significant(
        from_far, against, rule.far_chance_share, _SIGNIFICANCE
    )


def beaten(misfits: Numbers, best: Numbers, rule: Rule) -> bool:
    """Whether the best reading is better than this one at a level of 5 %: then this one need not be told."""
    votes, against = _votes(misfits, best, rule)
    return _significant(votes, against, 1 / 2, _LOOSE)


def _votes(before: Numbers, after: Numbers, rule: Rule) -> tuple[npt.NDArray[np.bool_], int]:
    voting = (np.maximum(before, after) > rule.margin_m) & (np.minimum(before, after) < REACH_M)
    votes = voting & (after < before / 2)
    return votes, int((voting & ~votes).sum())


def _significant(votes: npt.NDArray[np.bool_], against: int, chance: float, level: float) -> bool:
    count = int(votes.sum())
    return count > 0 and bool(bdtrc(count - 1, count + against, chance) <= level)
