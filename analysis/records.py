"""What the analysis stage makes: numbers with their interval and count, comparisons, the data of figures."""

from typing import Literal

from pydantic import model_validator

from ..study.records import Record

Population = Literal["sample", "source"]
"""Whom a number is about: the held-out cases as they were sampled, or the population that they were sampled from
(sampling weights applied, and risks moved by the log odds of the sampling)."""


About = Literal["recipes", "fits"]
"""What a number can speak about. Recipes: its interval includes persons and training runs, of three seeds at least.
Fits: only the fits that were made, and the persons who were held out."""


class Agreement(Record):
    """How far raters agree on one dimension, by one coefficient."""

    dimension: str
    statistic: str
    """A name in the table of `analysis/agreement`."""
    value: float | None
    low: float | None = None
    high: float | None = None
    """Limits of the 95 % interval; None, with `why_missing`, where there is none."""
    n_items: int
    n_raters: int
    n_ratings: int
    why_missing: str | None = None
    method: str = ""
    """How the interval was made, in words that can stand in a methods section."""
    simulated: bool = False
    """The raters were programs."""
    weights: str = ""
    """Name of the agreement weights, where the coefficient takes some."""
    standard_error: float | None = None
    """In closed form, for independent items, where the literature has one; a check on the interval."""
    jackknife_error: float | None = None
    """Standard error by leaving out one independent unit at a time."""
    null_error: float | None = None
    """Standard error were the true coefficient 0, in closed form: the value over it is the z of that test."""
    note: str = ""
    """What a reader must know beside the number: a prevalence paradox, unused categories, few raters."""

    @model_validator(mode="after")
    def _value_or_reason(self) -> "Agreement":
        if self.value is None and not self.why_missing:
            raise ValueError("a coefficient without a value needs a reason")
        return self


class Metric(Record):
    """One number about one set of predictions."""

    cell: str
    readout: str
    metric: str
    """`roc_auc`, `pr_auc`, `brier`, `calibration_slope`, ..."""
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    """Cases in it."""
    n_positive: int
    n_missing: int = 0
    """Cases without a prediction; they are in no other count."""
    n_clipped: int = 0
    """Risks moved away from 0 or 1 for a logarithm (by 1e-6); only for metrics that take one."""
    why_missing: str | None = None
    population: Population = "sample"
    group: str = "all"
    """`all`, or one subgroup of the held-out cases: `sex female`, `age 60-70`."""


class Average(Record):
    """One number about all finished fits of a target under one read-out, each counting the same."""

    target: str
    """Or the name of a baseline or an outside model."""
    readout: str
    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    best: float | None = None
    """Of the fit with the best ROC-AUC on the tuning split; None: there are no predictions to choose by."""
    best_cell: str | None = None
    """Which fit that is."""
    best_held_out: float | None = None
    """Of the fit with the best ROC-AUC on the held-out people themselves: too good by the luck of the choice."""
    cells: int
    """Finished, and in the mean."""
    expected: int
    """Of the grid. Fewer finished than expected is said wherever the mean is shown."""
    about: About = "fits"
    seeds: int = 1
    """In the mean."""
    seed_sd: float | None = None
    """Standard deviation between seeds; None with fewer than two."""
    n: int
    n_positive: int
    n_missing: int = 0
    """Cases without a prediction, over all fits."""
    n_clipped: int = 0
    why_missing: str | None = None
    population: Population = "sample"


class Comparison(Record):
    """Two configurations on the same people; `a` minus `b`."""

    metric: str
    a: str
    a_readout: str
    b: str
    b_readout: str
    a_value: float | None = None
    b_value: float | None = None
    """Of the two sides, on the cases that both predict."""
    difference: float | None
    low: float | None = None
    high: float | None = None
    """95 %, for this comparison alone."""
    low_adjusted: float | None = None
    high_adjusted: float | None = None
    """At the level that Holm's rule leaves it in its family: zero is outside exactly where `p_adjusted` < 0.05."""
    p: float | None = None
    p_adjusted: float | None = None
    """Holm, over all comparisons of one family."""
    se: float | None = None
    """Standard error of the difference."""
    df: float | None = None
    """Degrees of freedom of its t distribution."""
    family: str = ""
    about: About = "fits"
    seeds: int = 1
    """Training runs that the difference is a mean over."""
    seed_sd: float | None = None
    """Standard deviation of the difference between seeds; None with fewer than two."""
    seed_share: float | None = None
    """Share of the variance that comes from training runs."""
    n: int
    why_missing: str | None = None
    unit: Literal["cell", "target", "level", "readout", "yardstick"] = "cell"
    """What `a` and `b` name: single fits, targets (mean over matched fits), levels of a factor of the grid, the
    same target under two read-outs, or a baseline or outside model against the reference."""
    pairs: int = 1
    """Pairs of fits that differ in nothing else; the difference is their mean."""
    pairs_expected: int = 1
    """Of the grid; fewer pairs than expected: some fits failed, are not done, or miss a seed that others have."""
    population: Population = "sample"


class Equity(Record):
    """One subgroup against all other people, by one measure of fairness, for one model."""

    model: str
    """As the figures name it."""
    cell: str
    readout: str
    group: str
    """`sex female`, `age 70-80`."""
    measure: str
    """A name in `analysis/performance/subgroups.py`."""
    value: float | None
    """In the group."""
    rest: float | None
    """In all others."""
    difference: float | None
    """Group minus rest; 0 is fair."""
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    """Holm, over the groups of one model and measure."""
    n: int
    """Cases in the group."""
    n_positive: int
    why_missing: str | None = None


class RiskSpread(Record):
    """How the risks of one set of predictions are spread: ties, and how sure of itself a model is."""

    cell: str
    readout: str
    n: int
    distinct: int
    """Different risks."""
    largest_tie: int
    """Cases that share the commonest risk."""
    below: float
    """Share of the cases with a risk below 0.02."""
    above: float
    """Share with a risk above 0.98."""
    n_clipped: int
    """Risks nearer than 1e-6 to 0 or 1: moved there wherever a logarithm is taken."""


class SampleSize(Record):
    """How many people a purpose needs, by calculation, and how many the study has."""

    purpose: Literal["development", "validation"]
    criterion: str
    needed: int
    has: int
    assumed: str
    """What the calculation took for granted."""
    source: str
    """The paper that it follows."""


class Taught(Record):
    """What the fits of one target and size learned from."""

    target: str
    n: int
    """Training cases."""
    n_positive: int
    """With the outcome."""
    rationales: int
    """Texts taught; 0 for a target that needs none."""
    faulty: int
    """Of these, with a claim that the grounding check found a fault in."""
    undecided: int
    """Without a fault, but with a claim that the check could not decide."""
    rejected: int
    """Rejected by a verdict."""
    graded: int
    """With any verdict by people."""


class Curve(Record):
    """One point of a figure's data, with the count behind it."""

    figure: str
    series: str
    kind: Literal["model", "yardstick", "optimum", "rule"] = "model"
    """A fit of the grid; a baseline or outside model; the true risk; or a rule without a model, such as treat all."""
    x: float
    y: float | None
    low: float | None = None
    high: float | None = None
    n: int


class Dilution(Record):
    """How a fit's loss is shared out: what part of what it learned from was the label."""

    cell: str
    target: str
    group: str
    """Loss group; `prompt` never counts."""
    tokens: int
    """Seen per epoch."""
    share: float
    """Of the tokens that count."""
    weight: float
    """Share of the group in the loss; of a label that is scored, the share of its score."""
    final_loss: float | None
    """Nats per token, mean of the last epoch."""


class Cited(Record):
    """One kind of evidence: how well it tells cases from controls, and how often the teacher cites it.

    Counted over people of the training split with a rationale; shown lines only.
    """

    style: str
    code: str
    name: str
    cases: int
    controls: int
    """With a rationale."""
    present_cases: int
    present_controls: int
    """Of these, with the evidence in their timeline."""
    cited_cases: int
    cited_controls: int
    """Of these again, with the evidence cited."""
    by: Literal["presence", "value"] = "presence"
    """What tells people apart: that it is there, or, for a measurement, its latest value."""
    odds_ratio: float
    """Of presence: cases against controls, 0.5 added to each count (Haldane and Anscombe). Of a value: the odds
    that a person with the outcome has the higher one (Agresti 1980).
    """
    low: float
    high: float
    """Woolf's limits, or those of the odds of the ROC-AUC."""


class Grounded(Record):
    """Claims of one style by what the grounding check found."""

    style: str
    verdict: Literal["supported", "fault", "undecided"]
    reason: str | None
    """The fault, or why it is undecided; None: supported."""
    claims: int
    share: float
    """Of the style's claims."""
    facts: int
    """Facts of the record that were checked in these claims and hold."""
    rationales: int
    """Of the style."""


class Called(Record):
    """A model's confusion table at the threshold of equal specificity, and how it differs from the reference's."""

    model: str
    """As the figures name it."""
    cell: str
    readout: str
    threshold: float
    """Called above it."""
    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int
    cases_gained: int
    """Cases that it finds and the reference misses."""
    cases_lost: int
    """Cases that the reference finds and it misses."""
    alarms_shared: int
    """False alarms that both raise."""


class Alarm(Record):
    """A kind of evidence among the false alarms of a model and among the other controls."""

    model: str
    code: str
    name: str
    alarms: int
    """Controls called."""
    with_alarm: int
    """Of these, with the evidence in their timeline."""
    quiet: int
    """Controls not called."""
    with_quiet: int
    odds_ratio: float
    low: float
    high: float


class Written(Record):
    """What the models of one cell wrote before their label, and whether what they cite is there."""

    cell: str
    target: str
    readout: str
    texts: int
    """Held-out cases for which something was written."""
    words: float
    """Median length."""
    citations: int
    existing: int
    """Citations of evidence that the model was shown."""
    uncited: int
    """Texts that cite nothing."""
    loops: int
    """Texts that mostly repeat themselves."""
    unfinished: int
    """Texts that did not come to an answer within the length allowed; the risk was read behind them all the same."""
    checked: int
    """Texts whose sentences went through the grounding check: those of the first held-out cases, the same for all."""
    supported: int
    """Their sentences that the history bears out."""
    faulty: int
    """Those that it contradicts, or that state what it does not hold."""
    undecided: int
    """Those that state nothing that can be checked, or that rules cannot read."""


class Effect(Record):
    """How far an intervention on a model's reasons or history moves its risk, on the same people."""

    cell: str
    target: str
    readout: str
    """The intervention; the risk after the model's own rationale is taken away from it."""
    n: int
    mean: float
    """Mean difference of the risk."""
    low: float | None
    high: float | None
    """95 % over persons."""
    size: float
    """Mean absolute difference: how far people are moved, whichever way."""
    size_low: float | None
    size_high: float | None
