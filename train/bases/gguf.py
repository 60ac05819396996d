"""A `.gguf` file becomes a Hugging Face folder: unpacked once, kept in the cache, and what was done is recorded."""

import hashlib
import json
import shutil
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from ...study.errors import DataError, not_installed
from ...study.files import alone
from ...study.provenance import provenance
from ...study.records import write_text
from ...study.weights import cache
from .libraries import libraries

RECORD = "converted.json"
"""In the folder: of which file it was made, and by what."""
_SAMPLE = 1 << 20


def place(file: Path) -> Path:
    """Where the conversion of a file is, or will be; named by the file's name and content."""
    return cache() / "bases" / f"{file.stem}-{content(file)}"


def converted(file: Path) -> Path:
    """The folder that a GGUF file is unpacked to, in bfloat16; made now where it is missing.

    Raises:
        DataError: not a GGUF file, damaged, or an architecture that transformers cannot unpack.
        MissingPartError: the package gguf is not installed.
    """
    folder = place(file)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone(folder.parent / f"{folder.name}.lock"):
        if not (folder / RECORD).exists():
            part = folder.with_name(folder.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            _unpack(file, part)
            write_text(part / RECORD, json.dumps(_record(file), indent=1))
            part.rename(folder)
    return folder


def content(file: Path) -> str:
    """Twelve hex digits of a file's size and its first and last MiB."""
    size = file.stat().st_size
    h = hashlib.sha256(str(size).encode())
    with file.open("rb") as f:
        h.update(f.read(_SAMPLE))
        f.seek(max(0, size - _SAMPLE))
        h.update(f.read())
    return h.hexdigest()[:12]


def _record(file: Path) -> dict[str, object]:
    return {"file": file.name, "content": content(file), "dtype": "bfloat16", **provenance()}


def _unpack(file: Path, folder: Path) -> None:
    with file.open("rb") as f:
        if f.read(4) != b"GGUF":
            raise DataError(
                f"{file}: not a GGUF file (its first four bytes are not 'GGUF'). Download it again."
            )
    torch, transformers = libraries()
    try:
        import gguf  # noqa: F401
    except ImportError as e:
        raise not_installed(str(file), "gguf", "train") from e
    where = {"pretrained_model_name_or_path": file.parent, "gguf_file": file.name}
    try:
        with redirect_stderr(StringIO()):  # a progress bar that transformers' own switch does not reach
            tokenizer = transformers.AutoTokenizer.from_pretrained(**where)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                **where, quantization_config=transformers.GgufConfig(dequantize=True), dtype=torch.bfloat16
            )
    except Exception as e:  # whatever the reader of a damaged or unknown file trips over
        raise DataError(
            f"{file}: cannot be unpacked: {type(e).__name__}: {(str(e).splitlines() or [''])[0]} "
            "Give a complete GGUF of an architecture that transformers reads."
        ) from e
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
