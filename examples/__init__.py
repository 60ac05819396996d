"""Study files to start from; `demo.toml` is what `wherefore demo` runs."""
