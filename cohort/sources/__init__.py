"""Where records come from; one file a source, its name the name in the study file."""
