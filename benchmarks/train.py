"""Speed and memory of fitting and of reading risk: `python benchmarks/train.py [--model smollm2] [--rows 16]`.

Fitting: our loop against TRL's `SFTTrainer` on the same model, adapter, tokens, loss mask, batch size and precision;
the better of its attention implementations, with length grouping and without activation checkpointing, and below it
TRL as documented. Reading: our read-outs against one `generate` a case and against batched `generate`. Each side runs
in a process of its own, so that the peak of its memory is its own; CPU seconds on one thread; the two alternate.
Behind each row stands the share of the matmul rate that this machine reaches on the model's own shapes. Exits 1 where
a goal is missed.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
import transformers

from wherefore.study import weights
from wherefore.train.bases.gguf import converted
from wherefore.train.bases.models import bfloat16
from wherefore.train.encoding.encoder import EncodedRow
from wherefore.train.encoding.labels import LabelSet
from wherefore.train.fitting.adapter import trainable
from wherefore.train.fitting.losses import token_mean
from wherefore.train.fitting.optimise import Schedule, train
from wherefore.train.reading.engine import Engine
from wherefore.train.reading.writing import Stop, TokenSampling
from wherefore.train.settings import Settings

PROMPT, RATIONALE, BATCH, WRITTEN = 155, 115, 8, 32
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def model(name: str, attention: str = "sdpa") -> Any:
    """SmolLM2, or one of the size of the made base."""
    torch.manual_seed(0)
    if name == "smollm2":
        folder = converted(weights.fetch("smollm2"))
        return transformers.AutoModelForCausalLM.from_pretrained(
            folder, attn_implementation=attention, dtype=torch.float32
        )
    config = transformers.LlamaConfig(
        vocab_size=1500,
        hidden_size=128,
        intermediate_size=341,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=64,
        tie_word_embeddings=True,
        attn_implementation=attention,
        pad_token_id=0,
    )
    return transformers.LlamaForCausalLM(config)


def rows(n: int, answer: int, vocabulary: int) -> list[EncodedRow]:
    """Prompts of varied length, each with `answer` taught tokens."""
    rng = np.random.default_rng(0)
    out = []
    for i in range(n):
        length = PROMPT + int(rng.integers(-30, 30))
        ids = tuple(rng.integers(3, vocabulary, length + answer).tolist())
        out.append(EncodedRow(str(i), ids, (0,) * length + (1,) * (answer - 1) + (2,)))
    return out


def fit_ours(name: str, data: list[EncodedRow]) -> float:
    """CPU seconds of one epoch."""
    adapted = trainable(model(name), Settings())
    plan = Schedule(
        epochs=1,
        batch=BATCH,
        learning_rate=1e-4,
        seed=0,
        bfloat16=bfloat16("auto", "cpu"),
        tokens_at_once=Settings().tokens_at_once(gpu=False),
    )
    start = time.process_time()
    list(train(adapted, data, token_mean, plan))
    return time.process_time() - start


def fit_trl(name: str, data: list[EncodedRow], attention: str, documented: bool = False) -> float:
    """CPU seconds of one epoch of TRL's trainer."""
    import datasets
    import peft
    import trl

    examples = datasets.Dataset.from_list(
        [
            {
                "input_ids": list(r.ids),
                "labels": [t if g else -100 for t, g in zip(r.ids, r.groups, strict=True)],
            }
            for r in data
        ]
    )
    lora = peft.LoraConfig(r=16, lora_alpha=32, target_modules=MODULES, task_type="CAUSAL_LM")
    quick: dict[str, Any] = {
        "gradient_checkpointing": False,
        "bf16": bfloat16("auto", "cpu"),
        "train_sampling_strategy": "group_by_length",
    }
    tokenizer = _tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        options = trl.SFTConfig(
            folder,
            num_train_epochs=1,
            per_device_train_batch_size=BATCH,
            learning_rate=1e-4,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
            **({} if documented else quick),
        )
        job = trl.SFTTrainer(
            model(name, attention),
            options,
            train_dataset=examples,
            peft_config=lora,
            processing_class=tokenizer,
        )
        start = time.process_time()
        job.train()
        return time.process_time() - start


def _tokenizer() -> Any:
    folder = converted(weights.fetch("smollm2"))
    return transformers.AutoTokenizer.from_pretrained(folder)


def engine(m: Any, batch: int, tokens: int = 4096) -> Engine:
    encoder = SimpleNamespace(
        labels=LabelSet(("no", "yes"), ((3,), (4,))),
        max_length=tokens,
        end=None,
        decode=lambda ids: "x" * len(ids),
        answer_ids=lambda text: [5, 6, 7],
    )
    return Engine(m, encoder, batch)  # type: ignore[arg-type]


STOP = Stop("\nAnswer:", frozenset(), WRITTEN, loops=False)


def read(name: str, data: list[EncodedRow], how: str) -> float:
    """CPU seconds of a way to read risk; the model's loading and a first call are not counted."""
    m = model(name).eval()
    prompts = [list(r.ids) for r in data]
    work = {
        "ours": lambda: engine(m, 16).probabilities(prompts),
        "one by one": lambda: [_generate(m, [p]) for p in prompts],
        "batched": lambda: [_generate(m, prompts[i : i + 16]) for i in range(0, len(prompts), 16)],
        "write": lambda: engine(m, 16).write(prompts, STOP),
        "all": lambda: _all(m, prompts),
        "six": lambda: engine(m, 4).write(prompts[:4], STOP, samples=6, sampling=TokenSampling(1.0)),
        "sample": lambda: engine(m, 4).write(prompts[:4], STOP, samples=1, sampling=TokenSampling(1.0)),
        "shots": lambda: engine(m, 8).probabilities(_shots(prompts)),
        "shots again": lambda: [engine(m, 1).probabilities([p]) for p in _shots(prompts)],
    }[how]
    engine(m, 16).probabilities(prompts[:16])
    _generate(m, prompts[:2])
    start = time.process_time()
    work()
    return time.process_time() - start


def _all(m: Any, prompts: list[list[int]]) -> None:
    """Direct, own and the teacher's rationale of every case, from one run of its prompt."""
    for i in range(0, len(prompts), 16):
        batch = prompts[i : i + 16]
        e = engine(m, 16)
        e.prime(batch)
        e.probabilities([[*p, 5, 6, 7] for p in batch])
        e.write([[*p, 5] for p in batch], STOP)
        e.probabilities([[*p, 5, *range(10, 10 + RATIONALE // 3), 6, 7] for p in batch])


def _shots(prompts: list[list[int]]) -> list[list[int]]:
    """Each short question behind the same five demonstrations."""
    shared = [t for p in prompts[:5] for t in p] + [9] * 300
    return [[*shared, *p[:60]] for p in prompts]


def _generate(m: Any, prompts: list[list[int]]) -> None:
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    out = m.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=1,
        do_sample=False,
        output_scores=True,
        return_dict_in_generate=True,
        pad_token_id=0,
    )
    torch.softmax(out.scores[0][:, [3, 4]], dim=1)


def matmul_rate(name: str) -> float:
    """GFLOP/s of this machine on the model's widest product."""
    width, inner = (576, 1536) if name == "smollm2" else (128, 341)
    dtype = torch.bfloat16 if bfloat16("auto", "cpu") else torch.float32
    x, w = torch.randn(1280, width, dtype=dtype), torch.randn(inner, width, dtype=dtype)
    spent = []
    for _ in range(8):
        start = time.process_time()
        torch.nn.functional.linear(x, w)
        spent.append(time.process_time() - start)
    return 2 * 1280 * width * inner / median(spent) / 1e9


WORK = {
    "ours": fit_ours,
    "trl sdpa": lambda name, data: fit_trl(name, data, "sdpa"),
    "trl eager": lambda name, data: fit_trl(name, data, "eager"),
    "trl documented": lambda name, data: fit_trl(name, data, "sdpa", documented=True),
}


def child(options: argparse.Namespace) -> None:
    """One side of a row, in a process of its own."""
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    vocabulary = 49_000 if options.model == "smollm2" else 1500
    data = rows(options.rows, options.answer, vocabulary)
    if options.side == "rate":
        seconds = matmul_rate(options.model)
    elif options.side in WORK:
        seconds = WORK[options.side](options.model, data)
    else:
        seconds = read(options.model, data, options.side)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print("RESULT " + json.dumps([seconds, peak]))


def run(model_: str, side: str, n: int, answer: int) -> tuple[float, float]:
    """(CPU seconds, peak GB) of one side."""
    command = [sys.executable, str(Path(__file__)), "--model", model_, "--side", side, "--rows", str(n)]
    done = subprocess.run([*command, "--answer", str(answer)], capture_output=True, text=True)
    line = next((x for x in done.stdout.splitlines() if x.startswith("RESULT ")), None)
    if line is None:
        raise SystemExit(f"{side}: {done.stderr[-800:]}")
    seconds, peak = json.loads(line[7:])
    return seconds, peak


def best(
    model_: str, sides: tuple[str, ...], n: int, answer: int, repeats: int
) -> dict[str, tuple[float, float]]:
    """The median of each side's seconds, and its highest peak, the sides in turn."""
    timings: dict[str, list[tuple[float, float]]] = {s: [] for s in sides}
    for _ in range(repeats):
        for side in sides:
            timings[side].append(run(model_, side, n, answer))
    return {s: (median(x for x, _ in v), max(y for _, y in v)) for s, v in timings.items()}


def row(
    name: str, ours: float, peer: float, unit: str, ratio: float, goal: str, ok: bool, share: str = ""
) -> bool:
    verdict = "ok" if ok else "SHORT"
    print(
        f"{name:<52}{ours:10.1f}{peer:10.1f} {unit:<10}{ratio:7.2f}  {goal:<9}{verdict:<6}{share}", flush=True
    )
    return ok


def fits(model_: str, n: int, repeats: int, goal: float) -> list[bool]:
    rate, _ = run(model_, "rate", 1, 1)
    body = 106e6 if model_ == "smollm2" else 0.5e6
    done = []
    for what, answer in (("label only", 1), ("rationale and label", RATIONALE)):
        tokens = sum(len(r.ids) for r in rows(n, answer, 1500))
        timings = best(model_, ("ours", "trl sdpa", "trl eager", "trl documented"), n, answer, repeats)
        seconds, memory = timings["ours"]
        trl = min(("trl sdpa", "trl eager"), key=lambda s: timings[s][0])
        share = f"{4 * body * tokens / seconds / 1e9 / rate:.0%} of {rate:.0f} GFLOP/s"
        for side, target in ((trl, goal), ("trl documented", goal)):
            ratio = timings[side][0] / seconds
            done.append(
                row(
                    f"{model_} fit, {what}, against {side}",
                    tokens / seconds,
                    tokens / timings[side][0],
                    "tokens/s",
                    ratio,
                    f">= {target:.1f}",
                    ratio >= target,
                    share,
                )
            )
        if model_ == "smollm2":
            done.append(
                row(
                    f"{model_} fit, {what}, peak memory",
                    memory,
                    timings[trl][1],
                    "GB",
                    timings[trl][1] / memory,
                    "<= 4 GB",
                    memory <= 4,
                )
            )
    return done


def reads(model_: str, n: int, repeats: int) -> list[bool]:
    timings = best(
        model_,
        ("ours", "one by one", "batched", "write", "all", "sample", "six", "shots", "shots again"),
        n,
        1,
        repeats,
    )
    s = {side: seconds for side, (seconds, _) in timings.items()}
    out = []
    for name, own, peer, goal in (
        ("risk, against generate one by one", "ours", "one by one", 2.5),
        ("risk, against batched generate", "ours", "batched", 1.5),
        ("five shots, shared beginning against recomputing", "shots", "shots again", 10.0),
    ):
        ratio = s[peer] / s[own]
        out.append(
            row(
                f"{model_} {name}",
                n / s[own],
                n / s[peer],
                "cases/s",
                ratio,
                f">= {goal:.1f}",
                ratio >= goal,
            )
        )
    for name, own, peer, limit in (
        ("all read-outs, cost against writing alone", "all", "write", 1.6),
        ("six samples, cost against one", "six", "sample", 2.0),
    ):
        ratio = s[own] / s[peer]
        out.append(row(f"{model_} {name}", s[own], s[peer], "s", ratio, f"<= {limit:.1f}", ratio <= limit))
    return out


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=("smollm2", "tiny", "both"), default="both")
    parser.add_argument("--rows", type=int, default=16, help="examples a fit, cases a reading")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", choices=("fit", "read"), help="only these rows")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--answer", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        child(options)
        return 0
    print(f"{'':<52}{'ours':>10}{'peer':>10} {'':<10}{'ratio':>7}  goal")
    done: list[bool] = []
    for model_ in ("smollm2", "tiny") if options.model == "both" else (options.model,):
        n = options.rows if model_ == "smollm2" else 16 * options.rows
        if options.only != "read":
            done += fits(model_, n, options.repeats, 2.2 if model_ == "smollm2" else 3.0)
        if options.only != "fit":
            done += reads(model_, options.rows, options.repeats)
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
