"""Speed of fine-tuning and of reading risk: `python benchmarks/train.py`.

Fitting: our loop against the plain `transformers.Trainer` on the same model, adapter, rows, batch size, precision and
length grouping, in tokens per CPU second. Reading: our read-out against one `generate` call a case, in cases per CPU
second. Both sides in the same run, alternating, medians. Prints a row a figure and ends with an error where a goal is
missed.
"""

import copy
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import peft
import torch
import transformers

from wherefore.train.bases.libraries import peft_quiet
from wherefore.train.bases.models import bfloat16
from wherefore.train.encoding.encoder import Row
from wherefore.train.encoding.labels import LabelSet
from wherefore.train.fitting.losses import token_mean
from wherefore.train.fitting.optimise import Schedule, train
from wherefore.train.reading.engine import Engine

PROMPT, RATIONALE, ROWS, BATCH, REPEATS = 150, 110, 64, 16, 3


def model() -> Any:
    """The size of the made base model."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=1500, hidden_size=128, intermediate_size=341, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=2, head_dim=64, tie_word_embeddings=True, attn_implementation="eager", pad_token_id=0,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config)


def adapted() -> Any:
    """With a LoRA adapter on every linear layer."""
    config = peft.LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    with peft_quiet():
        return peft.get_peft_model(model(), config)


def rows(answer: int) -> list[Row]:
    """Prompts of varied length, each with `answer` taught tokens."""
    rng = np.random.default_rng(0)
    out = []
    for i in range(ROWS):
        n = PROMPT + int(rng.integers(-30, 30))
        ids = tuple(rng.integers(3, 1500, n + answer).tolist())
        out.append(Row(str(i), ids, (0,) * n + (1,) * (answer - 1) + (2,)))
    return out


def ours(data: list[Row]) -> None:
    plan = Schedule(epochs=1, batch=BATCH, learning_rate=1e-3, seed=0, bfloat16=bfloat16("auto", "cpu"))
    list(train(adapted(), data, token_mean, plan))


def trainer(data: list[Row]) -> None:
    def collate(batch: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        width = max(len(b["input_ids"]) for b in batch)
        fill = {"input_ids": 0, "labels": -100, "attention_mask": 0}
        return {k: torch.tensor([b[k] + [f] * (width - len(b[k])) for b in batch]) for k, f in fill.items()}

    examples = [
        {
            "input_ids": list(r.ids),
            "labels": [t if g else -100 for t, g in zip(r.ids, r.groups, strict=True)],
            "attention_mask": [1] * len(r.ids),
        }
        for r in data
    ]
    with tempfile.TemporaryDirectory() as folder:
        options = transformers.TrainingArguments(
            folder, num_train_epochs=1, per_device_train_batch_size=BATCH, learning_rate=1e-3, use_cpu=True,
            bf16=bfloat16("auto", "cpu"), train_sampling_strategy="group_by_length", report_to=[],
            save_strategy="no", logging_strategy="no", disable_tqdm=True, remove_unused_columns=False,
        )  # fmt: skip
        job = transformers.Trainer(adapted(), options, train_dataset=examples, data_collator=collate)
        job.remove_callback(transformers.PrinterCallback)
        job.train()


def read(m: Any, prompts: list[tuple[int, ...]]) -> None:
    Engine(
        m, SimpleNamespace(labels=LabelSet(("no", "yes"), ((3,), (4,))), max_length=2048), 32
    ).probabilities(prompts)


def generate(m: Any, prompts: list[tuple[int, ...]]) -> None:
    for p in prompts:
        ids = torch.tensor([p])
        out = m.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=1, do_sample=False,
            output_scores=True, return_dict_in_generate=True,
        )  # fmt: skip
        torch.softmax(out.scores[0][0, [3, 4]], dim=0)


def race(a: Callable[[], None], b: Callable[[], None]) -> tuple[float, float]:
    """Median CPU seconds of each, run in turn after one warm-up."""
    spent: tuple[list[float], list[float]] = ([], [])
    for i in range(REPEATS + 1):
        for work, times in zip((a, b), spent, strict=True):
            start = time.process_time()
            work()
            if i:
                times.append(time.process_time() - start)
    return statistics.median(spent[0]), statistics.median(spent[1])


def row(name: str, unit: str, amount: float, seconds: tuple[float, float], goal: float) -> bool:
    mine, peer = (amount / s for s in seconds)
    ok = mine / peer >= goal
    print(
        f"{name:<46}{mine:9.0f}{peer:9.0f} {unit:<10}{mine / peer:6.2f}x  >= {goal:.1f}x  {'ok' if ok else 'SHORT'}"
    )
    return ok


def main() -> int:
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    print(f"{'':<46}{'ours':>9}{'peer':>9}")
    done = []
    for name, answer in (("fit, label only", 1), ("fit, rationale and label", RATIONALE)):
        data = rows(answer)
        tokens = sum(len(r.ids) for r in data)
        seconds = race(lambda d=data: ours(d), lambda d=data: trainer(d))
        done.append(row(f"{name}, against plain Trainer", "tokens/s", tokens, seconds, 1.0))
    m = copy.deepcopy(model()).eval()
    prompts = [r.ids for r in rows(1)]
    seconds = race(lambda: read(m, prompts), lambda: generate(m, prompts))
    done.append(row("read risk, against generate one by one", "cases/s", len(prompts), seconds, 1.0))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
