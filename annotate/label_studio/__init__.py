"""Everything that knows Label Studio: server, client, grading page, push and pull."""
