"""Sample accounts for tests and demonstrations: one neglected, one well kept, one that lets the auditor see only part of it."""
