"""Cases become rationales: a teacher explains, and every claim is checked against the evidence."""
