"""Writes `people.jsonl`: 3,000 people who never lived. Diabetes and stroke raise their risk of dementia."""

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np

YEAR = 365.25
DISEASES = {
    "I10": ("Essential hypertension", 0.35, 0.0),
    "E11": ("Type 2 diabetes mellitus", 0.20, 1.0),
    "I63": ("Cerebral infarction", 0.12, 1.5),
    "M54": ("Dorsalgia", 0.40, 0.0),
    "H91": ("Hearing loss", 0.25, 0.5),
}


def person(number: int, rng: np.random.Generator) -> dict[str, object]:
    """One record, as `source.py` describes it."""
    born = date(1930, 1, 1) + timedelta(days=int(rng.uniform(0, 5 * YEAR)))

    def at(age: float) -> str:
        day: date = born + timedelta(days=int(age * YEAR))
        return day.isoformat()

    has = {code: rng.random() < share for code, (_, share, _) in DISEASES.items()}
    events = [
        {"date": at(age), "code": code, "name": DISEASES[code][0]}
        for code, ill in has.items()
        if ill
        for age in np.sort(rng.uniform(45, 69, int(rng.integers(1, 3))))
    ]
    odds = np.exp(-3.0 + sum(DISEASES[c][2] for c, ill in has.items() if ill))
    if rng.random() < odds / (1 + odds):
        events.append({"date": at(rng.uniform(71.5, 74.5)), "code": "F03", "name": "Unspecified dementia"})
    sex = "female" if rng.random() < 0.5 else "male"
    return {"id": f"p{number}", "sex": sex, "born": born.isoformat(), "last_seen": at(80), "events": events}


if __name__ == "__main__":
    rng = np.random.default_rng(7)
    lines = [json.dumps(person(n, rng)) for n in range(3000)]
    Path(__file__).with_name("people.jsonl").write_text("\n".join(lines) + "\n")
