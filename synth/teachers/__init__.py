"""Who writes rationales; one file a teacher, its name the name in the study file."""
