"""A model in a local folder, run here in batches: a teacher without an endpoint, or a student that explains itself.

With the style `own` and the label hidden and filtered, a fitted student writes its own rationales and keeps those
that led it to the right answer (STaR, Zelikman 2022). An adapter folder of the train stage is a model folder too.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ...study.errors import StudyError, not_installed
from ...study.records import Record
from ..records import Prompt
from ..teaching import Body, Reply, Request, completion


class Options(Record):
    """Settings of a local model."""

    path: str
    """Folder of the model or adapter, from the folder of the study file."""
    max_tokens: int = Field(default=400, gt=0)
    temperature: float = Field(default=0, ge=0)
    """0: the likeliest token each time."""
    top_p: float = Field(default=1, gt=0, le=1)
    batch: int = Field(default=16, gt=0)
    """Prompts at once; changes no answer."""
    device: str = "auto"
    """As torch names it (`cpu`, `cuda:0`); `auto`: the first GPU, or else the CPU."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`auto`: on a CPU `float32`, in which rounding does not depend on the batch; elsewhere as the model is saved."""


def title(options: Options) -> str:
    """As it stands in a report."""
    return f"transformers:{Path(options.path).name}"


def urls(options: Options) -> tuple[str, ...]:
    """Nothing leaves the process."""
    return ()


def check(options: Options) -> None:
    """Whether there is a model.

    Raises:
        StudyError: there is none.
    """
    folder = Path(options.path)
    if not any((folder / name).exists() for name in ("config.json", "adapter_config.json")):
        raise StudyError(
            f"synth.teacher.path: {folder} holds no model (config.json or adapter_config.json). Correct the path."
        )


def body(options: Options, prompt: Prompt, seed: int) -> Body:
    """The whole request; the model stands in it by its content, not by its path."""
    return {
        "model": f"{Path(options.path).name}@{fingerprint(options.path)}",
        "messages": [m.model_dump() for m in prompt.messages],
        "max_tokens": options.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": seed % 2**31 if options.temperature else 0,
    }


@lru_cache
def fingerprint(path: str) -> str:
    """Twelve hex digits of the files of a folder: their names, sizes, first and last mebibyte."""
    sum_ = hashlib.sha256()
    for file in sorted(p for p in Path(path).iterdir() if p.is_file()):
        size = file.stat().st_size
        sum_.update(f"{file.name} {size}\n".encode())
        with file.open("rb") as f:
            sum_.update(f.read(2**20))
            f.seek(max(0, size - 2**20))
            sum_.update(f.read())
    return sum_.hexdigest()[:12]


@asynccontextmanager
async def doors(options: Options) -> AsyncIterator[list["_Model"]]:
    """One door, behind which prompts wait for each other and go through the model together.

    Raises:
        MissingPartError: torch or transformers is not installed.
    """
    model = await asyncio.to_thread(_Model, options)
    serving = asyncio.create_task(model.serve())
    try:
        yield [model]
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


class _Model:
    def __init__(self, options: Options) -> None:
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as e:
            raise not_installed("teacher 'transformers'", str(e.name), "train") from e
        self._options, self._torch = options, torch
        device = (
            ("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device
        )
        dtype = "float32" if options.dtype == "auto" and device == "cpu" else options.dtype
        folder = {"pretrained_model_name_or_path": options.path, "local_files_only": True}
        self._tokenizer = AutoTokenizer.from_pretrained(**folder, padding_side="left")
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        loaded = AutoModelForCausalLM.from_pretrained(**folder, dtype=dtype)
        self._model: Any = loaded.to(device).eval()
        self._ends = _ends(self._model, self._tokenizer)
        self._waiting: asyncio.Queue[tuple[Request, asyncio.Future[Reply]]] = asyncio.Queue()

    async def ask(self, request: Request) -> Reply:
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        await self._waiting.put((request, answer))
        return await answer

    async def serve(self) -> None:
        """Take what waits, up to a batch, through the model; again and again."""
        while True:
            batch = [await self._waiting.get()]
            await asyncio.sleep(0.01)  # those that were answered together ask together
            while len(batch) < self._options.batch and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                replies = await asyncio.to_thread(self._write, [request for request, _ in batch])
            except Exception as e:
                for _, answer in batch:
                    answer.set_exception(e)
                continue
            for (_, answer), reply in zip(batch, replies, strict=True):
                if not answer.done():
                    answer.set_result(reply)

    def _write(self, requests: list[Request]) -> list[Reply]:
        from ._writing import Loops, RowSampler

        tokenizer, options = self._tokenizer, self._options
        template = bool(tokenizer.chat_template)
        texts = [
            conversation(tokenizer, m) if template else plain(m)
            for m in (r.body["messages"] for r in requests)
        ]
        encoded = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=not template)
        # what a template writes has its own first token and gets no second
        given = {name: encoded[name].to(self._model.device) for name in ("input_ids", "attention_mask")}
        start = given["input_ids"].shape[1]
        loops = Loops(start, self._ends)
        seeds = [r.body["seed"] for r in requests]
        drawn = [RowSampler(seeds, options.temperature, options.top_p)] if options.temperature else []
        with self._torch.inference_mode():
            out = self._model.generate(
                **given,
                max_new_tokens=options.max_tokens,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=sorted(self._ends),
                do_sample=False,  # by chance, but each row by its own: `RowSampler`
                logits_processor=drawn,
                stopping_criteria=[loops],
            )
        prompt_tokens = given["attention_mask"].sum(1).tolist()
        return [
            self._reply(request, row[start:].tolist(), n, looped)
            for request, row, n, looped in zip(requests, out, prompt_tokens, loops.looped, strict=True)
        ]

    def _reply(self, request: Request, ids: list[int], prompt_tokens: int, looped: bool) -> Reply:
        stop = next((i for i, token in enumerate(ids) if token in self._ends), None)
        text = self._tokenizer.decode(ids[:stop], skip_special_tokens=True)
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": len(ids[:stop])}
        finish = "loop" if looped else "length" if stop is None else "stop"
        return Reply(completion(text, request.body["model"], finish, usage=usage))


def _ends(model: Any, tokenizer: Any) -> set[int]:
    """Tokens that end an answer: the model's, and the tokenizer's, which chat models add."""
    ends = model.generation_config.eos_token_id
    tokens = [*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id]
    return {token for token in tokens if token is not None}


def plain(messages: list[dict[str, str]]) -> str:
    """A prompt for a model without a chat template."""
    *turns, last = messages
    if last["role"] != "assistant":
        return "\n\n".join(m["content"] for m in messages)
    return "\n\n".join(m["content"] for m in turns) + f"\n{last['content']}"


_PLACE = "Zq8textZq8"


def conversation(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    """A prompt in the model's own template; behind it what an assistant's turn at the end begins with.

    A student is asked as it was fitted: its text goes into the template as it is, and its own thinking is off.
    """
    *turns, last = messages
    if last["role"] != "assistant":
        return str(tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))
    question = "\n\n".join(m["content"] for m in turns) + "\n"
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": _PLACE}],
        add_generation_prompt=True,
        tokenize=False,
        enable_thinking=False,
        thinking=False,
    )
    return str(text).replace(_PLACE, question) + last["content"]
