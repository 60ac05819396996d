"""Who is called and who is missed, model against model at the same specificity, and what false alarms share."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..measures.arrays import Floats, Labels, Mask, Places
from ..measures.discrimination import SPECIFICITY
from ..measures.odds import odds_ratio
from ..records import Alarm, Called
from .evaluate import Evaluation
from .scores import PredictionKey

if TYPE_CHECKING:
    import pandas as pd


def called(
    evaluation: Evaluation, models: Mapping[str, PredictionKey], reference: PredictionKey
) -> Iterator[Called]:
    """Every model's confusion table at the same specificity, and which cases the reference finds and it does not.

    Over the cases that the model and the reference both predict, unweighted: these are counts of people.
    """
    y, risk = evaluation.held.y, evaluation.scores.risk
    for name, key in models.items():
        where = evaluation.present(key) & evaluation.present(reference)
        if evaluation.why_not(where):
            continue
        ones = y[where] == 1
        own, other = (_called(y[where], risk[k][where]) for k in (key, reference))
        yield Called(
            model=name,
            cell=key.cell,
            readout=key.readout,
            threshold=_threshold(y[where], risk[key][where]),
            true_positive=int((own & ones).sum()),
            false_negative=int((~own & ones).sum()),
            false_positive=int((own & ~ones).sum()),
            true_negative=int((~own & ~ones).sum()),
            cases_gained=int((own & ~other & ones).sum()),
            cases_lost=int((~own & other & ones).sum()),
            alarms_shared=int((own & other & ~ones).sum()),
        )


def _threshold(y: Labels, risk: Floats) -> float:
    """The lowest risk of a control that leaves nine in ten controls at or below it."""
    return float(np.quantile(risk[y == 0], SPECIFICITY, method="inverted_cdf"))


def _called(y: Labels, risk: Floats) -> Mask:
    return np.asarray(risk > _threshold(y, risk))


def alarms(
    evaluation: Evaluation, models: Mapping[str, PredictionKey], evidence: "pd.DataFrame", top: int = 5
) -> Iterator[Alarm]:
    """The evidence that false alarms have more often than other controls do: what leads a model astray.

    Odds ratios with intervals, the `top` of each model by the lower limit; kinds of evidence that fewer than ten
    controls have are left out.
    """
    y = evaluation.held.y
    holders = _holders(evidence, evaluation.held.case)
    for model, key in models.items():
        where = evaluation.present(key)
        if evaluation.why_not(where):
            continue
        risk = evaluation.scores.risk[key]
        alarm = where & (y == 0) & (risk > _threshold(y[where], risk[where]))
        quiet = where & (y == 0) & ~alarm
        rows = [_alarm(model, code, name, alarm, quiet, cases) for (code, name), cases in holders.items()]
        known = [r for r in rows if r.with_alarm + r.with_quiet >= FEWEST]
        yield from sorted(known, key=lambda r: -r.low)[:top]


FEWEST = 10


def _holders(evidence: "pd.DataFrame", cases: Sequence[str]) -> dict[tuple[str, str], Places]:
    """The places of the cases that show each kind of evidence."""
    place = {case: i for i, case in enumerate(cases)}
    shown = evidence[evidence["shown"] & evidence["case"].isin(place)]
    return {
        (str(code), str(name)): np.unique([place[c] for c in rows["case"]])
        for (code, name), rows in shown.groupby(["code", "name"], sort=True)
    }


def _alarm(model: str, code: str, name: str, alarm: Mask, quiet: Mask, cases: Places) -> Alarm:
    counts = {"alarms": int(alarm.sum()), "with_alarm": int(alarm[cases].sum())}
    counts |= {"quiet": int(quiet.sum()), "with_quiet": int(quiet[cases].sum())}
    ratio, low, high = odds_ratio(
        counts["with_alarm"], counts["alarms"], counts["with_quiet"], counts["quiet"]
    )
    return Alarm(model=model, code=code, name=name, **counts, odds_ratio=ratio, low=low, high=high)
