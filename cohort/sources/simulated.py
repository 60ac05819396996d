"""People whose true risk is known: a multi-state simulator of dementia and death.

From age 35 a person may get conditions, each at its own age. The hazards of dementia and of death follow sex, age,
what holds always, and the conditions of `lag` years ago; they are constant within each quarter of a year, so event
times are drawn exactly. Because of the lag, the risk over the next `lag` years is a function of what has already
happened. The record shows sex, education, smoking, living alone, deprivation and every condition on its day; it
does not show APOE nor whether a parent had dementia. `true_risk` sums over those two, given that the person has
come so far without dementia: the best that anything reading the record can do.

Rates and log hazard ratios, with their sources, stand in `cohort/data/simulator.json`.
"""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...study.records import Record
from ...study.seeds import derive
from ..events import YEAR, Place, Shard
from . import _simulated_record as record
from ._simulated_world import Floats, World

START, END, STEP = 35.0, 105.0, 0.25
"""Years: first and last age simulated, and how long a hazard stays constant."""
CELLS = round((END - START) / STEP)
CHUNK = 5_000
"""People drawn at a time; person i is the same whatever the number of people asked for."""


class Options(Record):
    """How many people, and how the world differs from the sources' numbers."""

    people: int = Field(default=40_000, gt=0, le=5_000_000)
    effect: float = Field(default=1.0, ge=0)
    """Multiplies every log hazard ratio of dementia but that of age: 0, nothing beyond age; 1, as published."""
    loss_per_year: float = Field(default=0.03, ge=0, lt=1)
    """Hazard of leaving observation, from age 60 on, unrelated to anything else."""
    lag_years: float = Field(default=5.0, gt=0)
    """A condition counts from so many years after it began; risks over at most so many years are exact."""
    noise: float = Field(default=1.0, ge=0)
    """Multiplies the rates of the background conditions, which say nothing of dementia."""


def read(options: Options, place: Place) -> "SimulatedRecords":
    """The simulated people; nothing is drawn before they are gone through."""
    return SimulatedRecords(options, derive(place.seed, "cohort", "simulated"))


@cache
def numbers() -> dict[str, Any]:
    """Rates, hazard ratios and shares, from `cohort/data/simulator.json`."""
    rates: dict[str, Any] = json.loads(files("wherefore.cohort").joinpath("data/simulator.json").read_text())
    return rates


def latents(effect: float) -> tuple[Floats, Floats]:
    """What no record shows: APOE e4 alleles 0, 1, 2 times a parent with dementia.

    Returns:
        Log hazard ratios and shares of the population, six of each.
    """
    n = numbers()
    pairs = list(
        product(
            zip([0.0, *n["beta_apoe"]], n["share_apoe"], strict=True),
            [(0.0, 1 - n["share_parent"]), (n["beta_parent"], n["share_parent"])],
        )
    )
    return effect * np.array([a[0] + p[0] for a, p in pairs]), np.array([a[1] * p[1] for a, p in pairs])


class SimulatedRecords:
    """Goes through the people in chunks, and knows their risk."""

    def __init__(self, options: Options, seed: int) -> None:
        self.options, self.seed = options, seed
        self._log_mean = _log_mean_hazard_ratio(options.effect)

    def __iter__(self) -> Iterator[Shard]:
        for number in range(self._chunks):
            yield record.shard(
                self.world(number), number * CHUNK, self._rng(number, "record"), self.options.noise
            )

    @property
    def _chunks(self) -> int:
        return -(-self.options.people // CHUNK)

    def _rng(self, number: int, what: str) -> np.random.Generator:
        return np.random.default_rng(derive(self.seed, number, what))

    def world(self, number: int) -> World:
        """One chunk of people."""
        rng, n = self._rng(number, "world"), numbers()
        u = {name: rng.random(CHUNK) for name in ("male", *n["fixed"], *n["conditions"])}
        male = u["male"] < n["share_male"]
        fixed = {name: (u[name] < p["share"]).astype(float) for name, p in n["fixed"].items()}
        fixed["education"] = np.clip(np.round(rng.normal(n["education"][0], n["education"][1], CHUNK)), 6, 20)
        onset = {name: _onset_age(u[name], p["share_at_68"]) for name, p in n["conditions"].items()}
        betas, shares = latents(self.options.effect)
        latent = rng.choice(len(shares), CHUNK, p=shares)
        hd, hm = self._hazards(male, fixed, onset)
        dementia = _time(
            np.cumsum(hd * np.exp(betas[latent])[:, None], 1) * STEP, rng.exponential(size=CHUNK)
        )
        death = _time(np.cumsum(hm, 1) * STEP, rng.exponential(size=CHUNK))
        loss = 60.0 + rng.exponential(1 / max(self.options.loss_per_year, 1e-12), CHUNK)
        keep = slice(0, min(CHUNK, self.options.people - number * CHUNK))
        cut = {k: v[keep] for k, v in fixed.items()}, {k: v[keep] for k, v in onset.items()}
        return World(male[keep], *cut, latent[keep], dementia[keep], death[keep], loss[keep])

    def _hazards(
        self, male: NDArray[np.bool_], fixed: dict[str, Floats], onset: dict[str, Floats]
    ) -> tuple[Floats, Floats]:
        """(people, cells) hazards per year of dementia, without the latents' factor, and of death."""
        n = numbers()
        left = START + STEP * np.arange(CELLS)
        e = self.options.effect
        lp = e * n["beta_education"] * (fixed["education"] - n["education"][0])
        lp = lp + e * sum(p["beta"] * fixed[name] for name, p in n["fixed"].items())
        gp = sum((p["gamma"] * fixed[name] for name, p in n["fixed"].items()), np.zeros(len(male)))
        dementia, death = np.repeat(lp[:, None], CELLS, 1), np.repeat(gp[:, None], CELLS, 1)
        for name, p in n["conditions"].items():
            on = (onset[name] + self.options.lag_years)[:, None] <= left
            dementia += e * p["beta"] * on
            death += p["gamma"] * on
        middle = left + STEP / 2
        base = n["rate_at_75"] * np.exp(n["slope"] * (middle - 75))
        tables = [np.interp(middle, n["mortality"]["ages"], n["mortality"][s]) for s in ("female", "male")]
        norm_death = np.log(_mean_death_ratio())
        return base * np.exp(dementia - self._log_mean), np.where(
            male[:, None], tables[1], tables[0]
        ) * np.exp(death - norm_death)

    def true_risk(self, subjects: list[str], days: NDArray[np.int64], horizon: float) -> Floats:
        """Risk of dementia within `horizon` years given all that the record shows before each day.

        Args:
            subjects: ids as in the shards.
            days: (cases,) days since birth at the prediction time, everybody alive and without dementia.
            horizon: years, at most the lag.
        """
        index = np.array([int(s[1:]) for s in subjects])
        risk = np.full(len(index), np.nan)
        for number in np.unique(index // CHUNK):
            own = np.flatnonzero(index // CHUNK == number)
            w = self.world(int(number))
            hd, hm = self._hazards(w.male, w.fixed, w.onset)
            rows = index[own] % CHUNK
            risk[own] = _risk(hd[rows], hm[rows], days[own] / YEAR, horizon, *latents(self.options.effect))
        return risk


def _risk(hd: Floats, hm: Floats, age: Floats, horizon: float, betas: Floats, shares: Floats) -> Floats:
    """Cumulative incidence of dementia over (age, age + horizon], death competing, latents summed out.

    F = sum over cells of S (1 - exp(-(hd + hm) dt)) hd / (hd + hm), for each latent class; classes weigh as their
    share times the probability of having come to `age` without dementia.
    """
    rows, cell = np.arange(len(age)), ((age - START) / STEP).astype(int)
    past = np.cumsum(hd, 1) * STEP
    done = past[rows, cell] - hd[rows, cell] * (START + (cell + 1) * STEP - age)
    factor = np.exp(betas)[:, None]
    weight = shares[:, None] * np.exp(-factor * done)
    survival, incidence = np.ones((len(betas), len(age))), np.zeros((len(betas), len(age)))
    for j in range(int(horizon / STEP) + 2):
        at = np.minimum(cell + j, CELLS - 1)
        left = START + at * STEP
        dt = np.clip(np.minimum(left + STEP, age + horizon) - np.maximum(left, age), 0, None)
        d = factor * hd[rows, at]
        total = d + hm[rows, at]
        gone = survival * -np.expm1(-total * dt)
        incidence += gone * d / total
        survival -= gone
    return np.asarray((weight * incidence).sum(0) / weight.sum(0))


def _onset_age(u: Floats, share_at_68: float) -> Floats:
    """Age at the beginning of a condition with P(begun by a) = 1 - exp(-c ((a - 35) / 33)^2), by inversion."""
    c = -np.log1p(-share_at_68)
    age = START + 33 * np.sqrt(-np.log1p(-u) / c)
    return np.where(age < END, age, np.inf)


def _time(cumulative: Floats, exponential: Floats) -> Floats:
    """Age at which a cumulative hazard (people, cells) passes a unit-exponential draw; infinity where it does not."""
    cell = (cumulative < exponential[:, None]).sum(1)
    inside = np.minimum(cell, CELLS - 1)
    rows = np.arange(len(exponential))
    before = np.where(inside > 0, cumulative[rows, inside - 1], 0.0)
    share = (exponential - before) / (cumulative[rows, inside] - before)
    return np.where(cell < CELLS, START + STEP * (inside + share), np.inf)


def _log_mean_hazard_ratio(effect: float) -> float:
    """log E[exp(sum of beta x)] at age 68, so that the population keeps the published incidence."""
    n = numbers()
    betas, shares = latents(effect)
    terms = [(p["beta"], p["share"]) for p in n["fixed"].values()]
    terms += [(p["beta"], p["share_at_68"]) for p in n["conditions"].values()]
    log = sum(np.log1p(s * np.expm1(effect * b)) for b, s in terms)
    return float(
        log
        + np.log((shares * np.exp(betas)).sum())
        + (effect * n["beta_education"] * n["education"][1]) ** 2 / 2
    )


def _mean_death_ratio() -> float:
    n = numbers()
    parts = [(p["gamma"], p["share"]) for p in n["fixed"].values()]
    parts += [(p["gamma"], p["share_at_68"]) for p in n["conditions"].values()]
    return float(np.prod([1 + s * np.expm1(g) for g, s in parts]))
