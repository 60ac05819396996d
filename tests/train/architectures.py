"""Twenty-seven small models of as many architectures, from their configurations."""

from typing import Any

_SMALL = {
    "vocab_size": 320,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_OLD = {
    "vocab_size": 320,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 256,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "Llama": _SMALL,
    "Mistral": {**_SMALL, "sliding_window": 64},
    "Mixtral": {**_SMALL, **_EXPERTS},
    "Qwen2": _SMALL,
    "Qwen3": {**_SMALL, "head_dim": 8},
    "Qwen3Moe": {
        **_SMALL,
        "head_dim": 8,
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 24,
    },
    "Gemma": {**_SMALL, "head_dim": 8},
    "Gemma2": {**_SMALL, "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 64},
    "Gemma3Text": {**_SMALL, "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 64},
    "Phi": _SMALL,
    "Phi3": {**_SMALL, "original_max_position_embeddings": 256},
    "GPT2": _OLD,
    "GPTNeo": {
        "vocab_size": 320,
        "hidden_size": 32,
        "num_layers": 2,
        "num_heads": 4,
        "max_position_embeddings": 256,
        "attention_types": [[["global", "local"], 1]],
        "window_size": 64,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "GPTNeoX": {k: v for k, v in _SMALL.items() if k != "num_key_value_heads"},
    "GPTJ": {**_OLD, "rotary_dim": 4},
    "GPTBigCode": _OLD,
    "OPT": {
        "vocab_size": 320,
        "hidden_size": 32,
        "ffn_dim": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "word_embed_proj_dim": 32,
        "max_position_embeddings": 256,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "Bloom": {
        "vocab_size": 320,
        "hidden_size": 32,
        "n_layer": 2,
        "n_head": 4,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "Falcon": {
        "vocab_size": 320,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 256,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "StableLm": _SMALL,
    "Olmo2": _SMALL,
    "Cohere": _SMALL,
    "Granite": {**_SMALL, "logits_scaling": 4.0, "embedding_multiplier": 3.0},
    "Starcoder2": _SMALL,
    "SmolLM3": _SMALL,
    "GptOss": {**_SMALL, **_EXPERTS, "head_dim": 8, "sliding_window": 64},
    "Glm4": {**_SMALL, "head_dim": 8},
}


def small(name: str, attention: str = "eager") -> Any:
    """A model with random weights, in evaluation mode."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**ARCHITECTURES[name])
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention)
    with torch.no_grad():  # far enough from zero that texts differ
        for p in model.parameters():
            if p.dim() > 1:
                p.mul_(3.0)
    return model.eval()
