"""The small base model made on the spot: tokenizer and pretraining."""
