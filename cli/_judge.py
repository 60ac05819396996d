"""Asking the judge: the doors and the ledger of the synth stage, the questions of the annotate stage."""

from pathlib import Path

from ..annotate import judge
from ..annotate.design.items import Item
from ..annotate.plan import Plan
from ..annotate.settings import Judge
from ..study.config import Study
from ..study.errors import DataError
from ..study.records import write_jsonl


def ask(study: Study, plan: Plan, how: Judge, folder: Path) -> list[str]:
    """Ask about every item; what is stored in `folder/judge/` is not asked again. Returns why some have no grades.

    Raises:
        StudyError: the records may not be sent there.
        ServiceError: no request can succeed.
    """
    from ..study import permission
    from ..study.parts import Part
    from ..synth.answers.parse import ParsedAnswer, read_object
    from ..synth.ledger.ledger import Ledger
    from ..synth.ledger.stored import stored
    from ..synth.plan import Teacher
    from ..synth.settings import Asking, Job
    from ..synth.shards import ask_all
    from ..synth.styles import Style
    from ..synth.teaching import Request, key

    form = {"temperature": 0.0, "structured": "json_object"}
    part = Part.model_validate(
        {"name": "openai", "model": how.model, "base_url": how.base_url, "key_env": how.key_env, **form}
    )
    asking = Asking(teacher=part, job=Job(in_flight=how.parallel))
    teacher = Teacher(study, part, "annotate.judge")
    permission.check(study, teacher.urls)
    style = Style(name="judge", form="object")

    def request(item: Item) -> Request:
        body = teacher.body(judge.prompt(plan, item), plan.seed)
        return Request(key(body), body, None, style, 0, None)  # type: ignore[arg-type]  # no door looks at whom

    given, refused = [], []
    items = plan.items.values()
    with Ledger(folder / "judge", expected=len(items)) as ledger:
        ask_all(teacher, asking, ledger, map(request, items), len(items), "judge")
        for item in items:
            _, body, fault, why = stored(request(item), ledger, asking.reask)
            found = ParsedAnswer(reason=fault, detail=why) if body is None else read_object(body)
            if isinstance(found, ParsedAnswer):
                refused.append(f"{item.id}: {found.reason}: {found.detail}")
                continue
            try:
                given.append(judge.answer(item, found))
            except DataError as e:
                refused.append(str(e))
    write_jsonl(folder / judge.FILE, given)
    return refused
