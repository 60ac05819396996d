"""What a run folder holds: every file that one stage writes and another reads, by name, in one place.

`CASES.at(run_folder)` is its path, and `drawing()` is the folder in words, as the docs show it.
"""

from dataclasses import dataclass
from pathlib import Path

STAGES = ("cohort", "synth", "annotate", "train", "analysis")
"""In the order of the data. Each is a folder of the run, and `wherefore.<stage>.run` has `resolve` and `run`."""


@dataclass(frozen=True)
class File:
    """A file of the run folder."""

    path: str
    """From the run folder."""
    holds: str

    @property
    def name(self) -> str:
        """Its name inside its stage's folder."""
        return self.path.partition("/")[2]

    def at(self, run_folder: Path) -> Path:
        """Where it is in this run."""
        return run_folder / self.path


CASES = File("cohort/cases.parquet", "a person at a prediction time a row: label, weights, split, timeline")
EVIDENCE = File("cohort/evidence.parquet", "the numbered, citable lines of every case")
EXCLUSIONS = File("cohort/exclusions.parquet", "a person left out a row, and why")
FLOW = File("cohort/flow.csv", "how many people each step left")
FLOW_PICTURE = File("cohort/flow.svg", "the same as a figure")
TABLE_ONE = File("cohort/table1.csv", "who the people are, by split")
BAD_ROWS = File("cohort/bad_rows.csv", "source rows that could not be read, and why")
COHORT_SUMMARY = File("cohort/summary.json", "counts of the cohort")

RATIONALES = File("synth/rationales.jsonl", "the teacher's rationales")
REFUSALS = File("synth/refusals.jsonl", "answers that became no rationale, and why")
GROUNDINGS = File("synth/groundings.jsonl", "the check of every claim")
CALLS = File("synth/calls.parquet", "a request a row: tokens, money, seconds")
SYNTH_SUMMARY = File("synth/summary.json", "counts and cost of the corpus")
CARD = File("synth/card.json", "what the corpus gives away of the label, and how it was made")
CARD_PAGE = File("synth/README.md", "the same for a reader")

RUBRIC = File("annotate/rubric.json", "dimensions and scales")
ITEMS = File("annotate/items.jsonl", "what is graded")
TASKS = File("annotate/tasks.jsonl", "who grades what")
RATINGS = File("annotate/ratings.jsonl", "a grade by a rater a row")
CONTROL_RATINGS = File("annotate/control_ratings.jsonl", "grades of planted controls")
NOTES = File("annotate/notes.jsonl", "what raters wrote beside their grades")
FAULTS = File("annotate/faults.jsonl", "what is wrong with forms, and whether they count")
PROGRESS = File("annotate/progress.jsonl", "how far each rater is")
NOTICED = File("annotate/noticed.jsonl", "what each rater noticed of the planted controls")
JUDGE_RATINGS = File("annotate/judge_ratings.jsonl", "grades by a model")
JUDGE_FAULTS = File("annotate/judge_faults.jsonl", "replies of the model that did not fit the rubric")
ANCHORING = File("annotate/anchoring.jsonl", "how raters moved towards the model's grades")
VERDICTS = File("annotate/verdicts.jsonl", "the consensus on each rationale")

CELLS = File("train/cells.csv", "a fit a row, and how it stands")
GRID = File("train/grid.html", "the same as a page that renews itself while fits are running")
BASELINES = File("train/baselines/baselines.jsonl", "a model without text a row: its name and training size")
BASELINE_PREDICTIONS = File("train/baselines/predictions.parquet", "their risks of the held-out cases")
BASELINE_TUNING = File("train/baselines/tuning.parquet", "the same for the tuning split")

AVERAGES = File("analysis/averages.parquet", "numbers averaged over the fits of a target")
AGREEMENT = File("analysis/agreement.parquet", "agreement between raters")
REPORT = File("analysis/report.html", "the report")

FILES = tuple(value for value in list(globals().values()) if isinstance(value, File))
"""All of them, in the order of the data."""

FIT = "fit.json"
"""In a cell's folder, `train/<cell>/`: what the fit took."""
READING = "reading.json"
"""In a cell's folder: how it was read, and how far the ways to run the fit are apart."""
PREDICTIONS = "predictions.parquet"
"""In a cell's folder: one risk a held-out case and read-out."""
TUNING = "tuning.parquet"
"""In a cell's folder: the same for the tuning split, from which the best cell of a grid is chosen."""


def corpus(name: str) -> str:
    """Folder inside `synth/` of a corpus of `[synth.corpora]`; its files have the names of the teacher's own.

    >>> corpus("blind")
    'corpora/blind'
    """
    return f"corpora/{name}"


def drawing() -> str:
    """The run folder in words.

    >>> print(drawing().splitlines()[1])
      cases.parquet                    a person at a prediction time a row: label, weights, split, timeline
    """
    out: list[str] = []
    for file in FILES:
        stage = file.path.partition("/")[0]
        if f"{stage}/" not in out:
            out.append(f"{stage}/")
        out.append(f"  {file.name:<33}{file.holds}")
    return "\n".join(out)
