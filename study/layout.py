"""What a run folder holds: every file that one stage writes and another reads, by name, in one place.

`CASES.at(run_folder)` is its path, and `drawing()` is the folder in words, as the docs show it.
"""

from dataclasses import dataclass
from pathlib import Path

STAGES = ("cohort", "synth", "annotate", "train", "analysis")
"""In the order of the data. Each is a folder of the run, and `wherefore.<stage>.run` has `resolve` and `run`."""


@dataclass(frozen=True)
class RunFile:
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


CASES = RunFile(
    "cohort/cases.parquet", "one row per person and prediction time: label, weights, split, timeline"
)
EVIDENCE = RunFile("cohort/evidence.parquet", "the numbered, citable lines of every case")
EXCLUSIONS = RunFile("cohort/exclusions.parquet", "one row per person left out, with the reason")
FLOW = RunFile("cohort/flow.csv", "how many people each step left")
FLOW_PICTURE = RunFile("cohort/flow.svg", "the same as a figure")
TABLE_ONE = RunFile("cohort/table1.csv", "who the people are, by split")
BAD_ROWS = RunFile("cohort/bad_rows.csv", "source rows that could not be read, and why")
COHORT_SUMMARY = RunFile("cohort/summary.json", "counts of the cohort")

RATIONALES = RunFile("synth/rationales.jsonl", "the teacher's rationales")
REFUSALS = RunFile("synth/refusals.jsonl", "answers that gave no rationale, and why")
GROUNDINGS = RunFile("synth/groundings.jsonl", "the check of every claim")
CALLS = RunFile("synth/calls.parquet", "one row per request: tokens, money, seconds")
SYNTH_SUMMARY = RunFile("synth/summary.json", "counts and cost of the corpus")
CARD = RunFile("synth/card.json", "what the corpus gives away of the label, and how it was made")
CARD_PAGE = RunFile("synth/README.md", "the same for a reader")

RUBRIC = RunFile("annotate/rubric.json", "dimensions and scales")
ITEMS = RunFile("annotate/items.jsonl", "what is graded")
TASKS = RunFile("annotate/tasks.jsonl", "who grades what")
RATINGS = RunFile("annotate/ratings.jsonl", "one row per rating")
CONTROL_RATINGS = RunFile("annotate/control_ratings.jsonl", "grades of planted controls")
NOTES = RunFile("annotate/notes.jsonl", "what raters wrote beside their grades")
FAULTS = RunFile("annotate/faults.jsonl", "what is wrong with forms, and whether they count")
PROGRESS = RunFile("annotate/progress.jsonl", "each rater's progress")
NOTICED = RunFile("annotate/noticed.jsonl", "what each rater noticed of the planted controls")
JUDGE_RATINGS = RunFile("annotate/judge_ratings.jsonl", "grades by a model")
JUDGE_FAULTS = RunFile("annotate/judge_faults.jsonl", "replies of the model that did not fit the rubric")
ANCHORING = RunFile("annotate/anchoring.jsonl", "how raters moved towards the model's grades")
VERDICTS = RunFile("annotate/verdicts.jsonl", "the consensus on each rationale")

CELLS = RunFile("train/cells.csv", "one row per fit, with its state")
GRID = RunFile("train/grid.html", "the same as a page that renews itself while fits are running")
BASELINES = RunFile(
    "train/baselines/baselines.jsonl", "one row per model without text: its name and training size"
)
BASELINE_PREDICTIONS = RunFile("train/baselines/predictions.parquet", "their risks of the held-out cases")
BASELINE_TUNING = RunFile("train/baselines/tuning.parquet", "the same for the tuning split")

AVERAGES = RunFile("analysis/averages.parquet", "numbers averaged over the fits of a target")
AGREEMENT = RunFile("analysis/agreement.parquet", "agreement between raters")
REPORT = RunFile("analysis/report.html", "the report")

FILES = tuple(value for value in list(globals().values()) if isinstance(value, RunFile))
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
      cases.parquet                    one row per person and prediction time: label, weights, split, timeline
    """
    out: list[str] = []
    for file in FILES:
        stage = file.path.partition("/")[0]
        if f"{stage}/" not in out:
            out.append(f"{stage}/")
        out.append(f"  {file.name:<33}{file.holds}")
    return "\n".join(out)
