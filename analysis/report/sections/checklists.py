"""Reporting checklists, filled in."""

from ..checklist import section
from ..section import Section

SECTION = Section("Checklists", section, "checklists.html.j2")
