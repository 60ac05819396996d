"""The synth stage: ask the teacher about every case, then derive rationales and their grounding from the ledger."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..study import layout
from ..study.config import Study
from ..study.errors import StaleError
from ..study.runs import MANIFEST, complete, locked, manifest, outcome, put_aside, run_once
from .dial.told import IN_WORDS
from .histories import tables
from .plan import RequestPlan
from .plan import resolve as resolve

if TYPE_CHECKING:
    from .ledger.ledger import Ledger


def describe(study: Study, home: Path) -> str:
    """What the stage would ask, in a line; the price where prices stand in the study file and the cohort is made."""
    from .histories import count
    from .price import priced_corpora

    s = resolve(study)
    plan = RequestPlan(study, s, home / "cohort")
    each = plan.requests
    head = f"{s.teacher.name} teacher, {', '.join(s.styles)}"
    if s.label != "shown":
        head += f", the outcome {IN_WORDS[s.label]}"
    if manifest(home / "cohort") is None:
        checked = f"; every rationale checked by {plan.verifier.title}" if plan.verifier else ""
        return f"{head}: {each} requests per case (cohort not built yet){checked}"
    head += "".join(f"; {name}: {IN_WORDS[corpus.label]}" for name, corpus in s.corpora.items())
    requests = count(home / "cohort", s.splits) * each
    prices = [
        (f"{name}: " if name else "")
        + (taken.words if taken else "no case has a label that could be explained")
        for name, taken in priced_corpora(plan, home / "cohort").items()
    ]
    return f"{head}: {requests} requests, {'; '.join(prices)}"


def run(study: Study, home: Path, *, again: bool = False) -> bool:
    """Make the rationales in `home/synth`. What is stored in the ledger is not asked again.

    Args:
        study: as written.
        home: the run folder.
        again: a finished stage made from other settings is renamed, not refused; its answers still count. One made
            from the same settings asks again what failed for reasons of the endpoint.
    Raises:
        ServiceError: the teacher cannot be asked at all.
        PendingError: stopped before the end (budget, deadline, Ctrl-C); the same call goes on.
    """
    cohort = home / "cohort"
    plan = RequestPlan(study, resolve(study), cohort)
    inputs = tables(home)

    def work(folder: Path) -> None:
        from .controls import write_controls
        from .corpus.card import write_card
        from .ledger.ledger import Ledger, set_aside
        from .shards import total

        others = {layout.corpus(name): other for name, other in plan.others().items()}
        expected = total(plan, cohort) // plan.size * plan.requests
        with Ledger(folder / "ledger", expected=expected, also=set_aside(home)) as ledger:
            for name, other in others.items():
                (folder / name).mkdir(parents=True, exist_ok=True)
                _explained(other, ledger, cohort, folder, folder / name)
            _explained(plan, ledger, cohort, folder, folder)
        write_controls(plan.settings, cohort, folder, study.seed)
        for name, other in others.items():
            write_card(other, cohort, folder / name)
        write_card(plan, cohort, folder)

    stage = home / "synth"
    if again:
        _open_again(stage, plan, inputs)
    if plan.settings.job.ray and not complete(stage, plan.identity(), inputs):
        from .shards import over_ray

        over_ray(plan, home)  # before the stage is held: each shard holds its own part
    done = run_once(stage, plan.identity(), inputs, work, keep=("ledger", "verifier"))
    summary = json.loads((stage / layout.SYNTH_SUMMARY.name).read_text())
    click.echo(
        f"synth: {summary['rationales']} rationales, {summary['refusals']} refused; {outcome(done, stage)}"
    )
    failed = _failed(stage)
    if failed:
        click.echo(
            f"  {failed} questions have no answer because the endpoint failed; "
            "`wherefore synth --again` asks them again."
        )
    return done


def _explained(plan: RequestPlan, ledger: "Ledger", cohort: Path, stage: Path, folder: Path) -> None:
    """Ask for one corpus what the ledger does not hold, and derive it into its folder.

    The requests of all corpora stand in one account, that of the stage's own folder, which is derived last.
    """
    from .derive import derive_all
    from .judging import left_out_ids
    from .shards import ask, total
    from .verifier import checking

    expected = total(plan, cohort)
    ask(plan, ledger, cohort, expected)
    left_out = left_out_ids(plan, ledger, cohort)
    with checking(plan, ledger, cohort, stage, expected, left_out) as (ledgers, check):
        derive_all(plan, ledgers, cohort, folder, left_out, check, accounts=folder == stage)


def _open_again(stage: Path, plan: RequestPlan, inputs: list[Path]) -> None:
    """Make way for another run: of other settings, or of the same where something failed."""
    try:
        if complete(stage, plan.identity(), inputs) and _failed(stage):
            (stage / MANIFEST).unlink()
    except StaleError:
        with locked(stage):
            put_aside(stage)


def _failed(stage: Path) -> int:
    """Questions that might have an answer another day."""
    from .asking.batches import AGAIN
    from .asking.gate import OF_THE_ENDPOINT

    refused = json.loads((stage / layout.SYNTH_SUMMARY.name).read_text())["refused"]
    return sum(n for reason, n in refused.items() if reason in OF_THE_ENDPOINT | AGAIN)
