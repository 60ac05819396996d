"""What a model is taught to write: texts, what changes in the course of a fit, questions beside the main one."""
