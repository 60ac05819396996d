"""The table of metrics: how each is computed, where its uncertainty comes from, and how it reads.

Everything that a table, a comparison or the report needs to know about a metric stands in its entry: its label,
which end is the good one, the scale of its interval. Adding one is an entry here; without an influence function its
uncertainty comes from the bootstrap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ...study.parts import Catalogue
from . import accuracy, calibration, cut, discrimination
from .arrays import Floats, Labels
from .limits import Scale, area, positive, share, share_of_all, share_of_controls, straight

Function = Callable[[Labels, Floats, Floats], Floats]
"""`y` (n,), `risk` (n,), `w` (b, n) to (b,): see `discrimination.py`."""
Influence = Callable[[Labels, Floats, Floats], Floats]
"""`y` (n,), `risk` (n,), `w` (n,) to (n,)."""


@dataclass(frozen=True)
class Measure:
    """A metric, and what a reader of it must know."""

    label: str
    """As a column heading."""
    compute: Function
    better: Literal["higher", "lower"] | float
    """Which end is the good one, or the value that is best."""
    scale: Scale | None = straight
    """Of its interval; None: a fact about this sample, which has none."""
    influence: Influence | None = None
    says: str = ""
    """What it means, in a phrase for the foot of a table."""
    digits: int = 3
    why_not: Callable[[Labels, Floats, Floats], str | None] | None = None
    """Why it has no value though both classes are there; (y, risk, w (n,))."""
    clips: bool = False
    """It takes logarithms of risks, so those nearer than 1e-6 to 0 or 1 are moved there."""

    def nearer(self, a: float, b: float) -> bool:
        """Whether `a` is a better value than `b`.

        >>> METRICS["brier"].nearer(0.1, 0.2), METRICS["calibration_slope"].nearer(1.3, 0.8)
        (True, False)
        """
        if isinstance(self.better, str):
            return a > b if self.better == "higher" else a < b
        return abs(a - self.better) < abs(b - self.better)


_METRICS: dict[str, Measure] = {
    "roc_auc": Measure(
        label="ROC-AUC",
        compute=discrimination.roc_auc,
        influence=discrimination.roc_auc_influence,
        better="higher",
        scale=area,
        says="chance that a person with the outcome has a higher risk than one without it; 0.5 is guessing",
    ),
    "pr_auc": Measure(
        label="PR-AUC",
        compute=discrimination.pr_auc,
        influence=discrimination.pr_auc_influence,
        better="higher",
        scale=share,
        says="average precision; guessing gives the share of people with the outcome",
    ),
    "sensitivity_at_90": Measure(
        label="sensitivity at 90 % specificity",
        compute=discrimination.sensitivity,
        influence=discrimination.sensitivity_influence,
        better="higher",
        scale=share,
        says="share found of the people with the outcome, where at most one in ten others is flagged",
    ),
    "specificity_attained": Measure(
        label="specificity attained",
        compute=discrimination.specificity,
        better="higher",
        scale=None,
        says="at that threshold: above 90 % where many people have the same risk",
    ),
    "f1_at_half": Measure(
        label="F1 at 0.5",
        compute=cut.f1,
        influence=cut.f1_influence,
        better="higher",
        scale=share,
        says="harmonic mean of recall and precision where a risk above 0.5 is called, as a decoded label would be",
    ),
    "recall_at_half": Measure(
        label="recall at 0.5",
        compute=cut.recall,
        influence=cut.recall_influence,
        better="higher",
        scale=share,
        says="sensitivity there; a text without a label is not called",
    ),
    "precision_at_half": Measure(
        label="precision at 0.5",
        compute=cut.precision,
        influence=cut.precision_influence,
        better="higher",
        scale=share,
        says="share with the outcome among those called; none where nobody is",
    ),
    "specificity_at_half": Measure(
        label="specificity at 0.5",
        compute=cut.specificity_at_cut,
        influence=cut.specificity_at_cut_influence,
        better="higher",
        scale=share_of_controls,
        says="share not called of the people without the outcome",
    ),
    "polarised": Measure(
        label="polarised risks",
        compute=cut.polarised,
        influence=cut.polarised_influence,
        better="lower",
        scale=share_of_all,
        says="share of risks below 0.02 or above 0.98",
    ),
    "brier": Measure(
        label="Brier score",
        compute=accuracy.brier,
        influence=accuracy.brier_influence,
        better="lower",
        scale=positive,
        says="mean squared distance of risk and outcome; 0 is best",
    ),
    "scaled_brier": Measure(
        label="scaled Brier score",
        compute=accuracy.scaled_brier,
        influence=accuracy.scaled_brier_influence,
        better="higher",
        says="1 is perfect; 0 is worth as much as giving everybody the prevalence",
    ),
    "log_loss": Measure(
        label="log loss",
        compute=accuracy.log_loss,
        influence=accuracy.log_loss_influence,
        better="lower",
        scale=positive,
        clips=True,
        says="mean negative log likelihood in nats; 0 is best",
    ),
    "expected_observed": Measure(
        label="expected / observed",
        compute=accuracy.expected_observed,
        influence=accuracy.expected_observed_influence,
        better=1.0,
        scale=positive,
        digits=2,
        says="number of outcomes predicted over number seen; 1 is best, above it risks are too high",
    ),
    "calibration_in_the_large": Measure(
        label="calibration in the large",
        compute=calibration.calibration_in_the_large,
        influence=calibration.calibration_in_the_large_influence,
        better=0.0,
        digits=2,
        clips=True,
        says="intercept of a recalibration with slope 1; 0 is best, below it risks are too high",
    ),
    "calibration_slope": Measure(
        label="calibration slope",
        compute=calibration.calibration_slope,
        influence=calibration.calibration_slope_influence,
        better=1.0,
        digits=2,
        clips=True,
        why_not=calibration.no_slope,
        says="1 is best; below it risks are too extreme",
    ),
}

METRICS = Catalogue("wherefore.metrics", "metric", Measure, _METRICS)
"""By the name in the tables and in `[analysis] compared`; other packages add to it by entry points."""
