"""What words mean: the tables of `synth/grounding/data/` and how they are looked up."""
