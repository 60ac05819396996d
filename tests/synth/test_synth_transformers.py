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
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=4096,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
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


@pytest.fixture(scope="module")
def chatty(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model with a chat template that writes its own first token, and a tokenizer that adds one too."""
    import shutil

    import tokenizers

    folder = tmp_path_factory.mktemp("chatty") / "model"
    shutil.copytree(model, folder)
    made = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    made.save(str(folder / "tokenizer.json"))
    turn = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    (folder / "chat_template.jinja").write_text(
        "<s>" + turn + "{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    return folder


def answers(home: Path, model: Path, **options: object) -> dict[str, dict[str, object]]:
    """Raw answers by key of a run with this teacher."""
    from wherefore.synth.ledger.ledger import Ledger

    teacher = {"name": "transformers", "path": str(model), "max_tokens": 60, **options}
    synth = {"teacher": teacher, "styles": ["own"], "reask": 0, "samples": 2, "job": {"unreadable": 0}}
    run(Study(name="t", cohort={}, synth=synth), home)
    with Ledger(home / "synth" / "ledger") as ledger:
        return {e["k"]: e["b"] for e in ledger.entries() if e["e"] == "answer"}


def test_a_template_that_writes_the_first_token_gets_no_second(
    cohort: Write, model: Path, chatty: Path, tmp_path: Path
) -> None:
    found = answers(cohort(tmp_path, 3), chatty)
    case = next(read_jsonl(tmp_path / "synth" / "refusals.jsonl", Refusal)).case
    with_template = [b["usage"]["prompt_tokens"] for b in found.values()]  # type: ignore[index]
    plain = [b["usage"]["prompt_tokens"] for b in answers(cohort(tmp_path / "p", 3), model).values()]  # type: ignore[index]
    extra = len("[user] \n[assistant] ") + 1  # bytes are tokens here; one <s>
    assert sorted(with_template) == sorted(n + extra for n in plain), case


def test_drawn_texts_depend_neither_on_the_batch_nor_on_each_other(
    cohort: Write, chatty: Path, tmp_path: Path
) -> None:
    runs = [
        answers(cohort(tmp_path / str(batch), 6), chatty, temperature=0.9, top_p=0.95, batch=batch)
        for batch in (1, 5)
    ]
    texts = [{k: b["choices"][0]["message"]["content"] for k, b in r.items()} for r in runs]  # type: ignore[index]
    assert texts[0] == texts[1]
    assert len(set(texts[0].values())) == len(texts[0])


def test_a_text_that_only_repeats_itself_is_stopped_and_named(
    cohort: Write, model: Path, tmp_path: Path
) -> None:
    """At temperature 0 a random model falls into a loop sooner or later."""
    found = answers(cohort(tmp_path, 4), model, max_tokens=300)
    ends = [(b["choices"][0]["finish_reason"], b["usage"]["completion_tokens"]) for b in found.values()]  # type: ignore[index]
    loops = [n for finish, n in ends if finish == "loop"]
    assert loops
    assert max(loops) < 300
    assert "loop" in {r.reason for r in read_jsonl(tmp_path / "synth" / "refusals.jsonl", Refusal)}


def test_a_student_is_asked_in_its_template_as_it_was_fitted(chatty: Path) -> None:
    import transformers

    from wherefore.synth.teachers.transformers import conversation, plain

    tokenizer = transformers.AutoTokenizer.from_pretrained(chatty)
    talk = [{"role": "user", "content": " A line.\nQuestion?"}, {"role": "assistant", "content": "Reasons:"}]
    assert conversation(tokenizer, talk) == "<s>[user]  A line.\nQuestion?\n\n[assistant] Reasons:"
    assert plain(talk) == " A line.\nQuestion?\nReasons:"
