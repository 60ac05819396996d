"""The local teacher on a model made on the spot: batches, filtering, the text form of a student's answer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wherefore.study.config import Study
from wherefore.study.errors import StudyError
from wherefore.study.records import read_jsonl, read_table
from wherefore.synth.answers.parse import read
from wherefore.synth.records import Call, Rationale, Refusal
from wherefore.synth.run import resolve, run
from wherefore.synth.styles import style
from wherefore.synth.teaching import completion

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer Llama of 40,000 parameters that writes at random, with a tokenizer of bytes."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    folder = tmp_path_factory.mktemp("model")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {c: i for i, c in enumerate(["<s>", "</s>", *alphabet])}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=4096, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def test_every_case_goes_through_the_model_once_and_answers_are_judged(
    cohort: Write, model: Path, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 10)
    teacher = {"name": "transformers", "path": str(model), "max_tokens": 12, "batch": 4}
    run(
        Study(
            name="t",
            cohort={},
            synth={
                "teacher": teacher,
                "styles": ["own"],
                "label": "filtered",
                "reask": 0,
                "job": {"unreadable": 0},
            },
        ),
        home,
    )
    calls = read_table(home / "synth" / "calls.parquet", Call)
    refusals = list(read_jsonl(home / "synth" / "refusals.jsonl", Refusal))
    rationales = list(read_jsonl(home / "synth" / "rationales.jsonl", Rationale))
    assert len(refusals) + len(rationales) == 10
    asked = 10 - sum(r.reason == "censored" for r in refusals)
    assert len(calls) == asked
    assert (calls["completion_tokens"] <= 12).all()
    assert calls["model"].str.contains("@").all()


def test_batching_changes_no_answer(cohort: Write, model: Path, tmp_path: Path) -> None:
    from wherefore.synth.ledger.ledger import Ledger

    answers = []
    for batch in (1, 5):
        home = cohort(tmp_path / str(batch), 6)
        teacher = {"name": "transformers", "path": str(model), "max_tokens": 8, "batch": batch}
        run(Study(name="t", cohort={}, synth={"teacher": teacher, "styles": ["own"], "reask": 0}), home)
        with Ledger(home / "synth" / "ledger") as ledger:
            answers.append({e["k"]: e["b"]["choices"] for e in ledger.entries() if e["e"] == "answer"})
    assert answers[0] == answers[1]
    assert len(answers[0]) >= 5


def test_a_students_text_is_read_as_claims_and_verdict() -> None:
    text = (
        " Risk factors: Stroke at age 66.4 speaks for injury. [E007] Hearing loss came first. [E002, E005]\n"
        "Judgement: On balance this points to a diagnosis.\nAnswer: yes"
    )
    answer = read(completion(text, "m"), style("own"))
    assert [(c.section, c.text, c.cites) for c in answer.claims] == [
        ("Risk factors", "Stroke at age 66.4 speaks for injury.", ("E007",)),
        ("Risk factors", "Hearing loss came first.", ("E002", "E005")),
        ("Judgement", "On balance this points to a diagnosis.", ()),
    ]
    assert answer.verdict == 1
    again = Rationale(
        id="x", case="c", style="own", teacher="t", claims=answer.claims, label_shown=False, key="k"
    )
    assert read(completion(again.text + "\nAnswer: yes", "m"), style("own")).claims == answer.claims


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"synth\.teacher\.path: .* holds no model"):
        resolve(
            Study(name="t", cohort={}, synth={"teacher": {"name": "transformers", "path": str(tmp_path)}})
        )
