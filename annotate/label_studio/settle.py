"""Waiting for what a push that was cut off may have left under way on the server."""

import time

from .client import Project, Server, TaskOnServer

QUIET = 2
"""Reads in a row that must find nothing new."""
LONGEST = 120.0
"""Seconds after which we go on all the same."""


def created(server: Server, description: str) -> Project | None:
    """A project that was asked for by a process that was killed; None where it never came."""
    for _ in range(5):
        projects = server.projects(description)
        if projects:
            return projects[0]
        time.sleep(1)
    return None


def imported(server: Server, project: int) -> dict[str, list[TaskOnServer]]:
    """What a project holds once nothing more is coming.

    A write to the project waits on the server for the import that holds it, so that after one there is little left
    to come.
    """
    until = time.monotonic() + LONGEST
    held, quiet = server.held(project), 0
    while quiet < QUIET and time.monotonic() < until:
        time.sleep(0.5)
        server.touch(project)
        again = server.held(project)
        quiet = quiet + 1 if again == held else 0
        held = again
    return held
