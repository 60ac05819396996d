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
from typing import Any

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
    """Prompts at once; changes no answer but by rounding."""
    device: str = "auto"


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
        self._device = (
            ("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device
        )
        self._tokenizer = AutoTokenizer.from_pretrained(
            options.path, local_files_only=True, padding_side="left"
        )
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        loaded = AutoModelForCausalLM.from_pretrained(options.path, local_files_only=True, dtype="auto")
        self._model: Any = loaded.to(self._device).eval()
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
        torch, tokenizer, options = self._torch, self._tokenizer, self._options
        texts = [self._text(r.body["messages"]) for r in requests]
        given = tokenizer(texts, return_tensors="pt", padding=True).to(self._device)
        given.pop("token_type_ids", None)
        sampled = {"do_sample": True, "temperature": options.temperature, "top_p": options.top_p}
        torch.manual_seed(requests[0].body["seed"])
        with torch.inference_mode():
            out = self._model.generate(
                **given,
                max_new_tokens=options.max_tokens,
                pad_token_id=tokenizer.pad_token_id,
                **(sampled if options.temperature else {"do_sample": False}),
            )
        start = given["input_ids"].shape[1]
        prompt_tokens = given["attention_mask"].sum(1).tolist()
        return [
            self._reply(r, row[start:].tolist(), n)
            for r, row, n in zip(requests, out, prompt_tokens, strict=True)
        ]

    def _text(self, messages: list[dict[str, str]]) -> str:
        if self._tokenizer.chat_template:
            text: str = self._tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, tokenize=False
            )
            return text
        return "\n\n".join(m["content"] for m in messages)

    def _reply(self, request: Request, ids: list[int], prompt_tokens: int) -> Reply:
        end = self._model.generation_config.eos_token_id
        ends = set(end if isinstance(end, list) else [end])
        stop = next((i for i, token in enumerate(ids) if token in ends), None)
        text = self._tokenizer.decode(ids[:stop], skip_special_tokens=True)
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": len(ids[:stop])}
        return Reply(
            completion(text, request.body["model"], "length" if stop is None else "stop", usage=usage)
        )
