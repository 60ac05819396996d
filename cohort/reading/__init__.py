"""From files to shards of people and events, whatever the source: tables, dates, columns, and their faults."""
