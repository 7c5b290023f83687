"""What it costs to be recorded: each figure beside its bare twin, and a control.

`python -m benchmarks.<name>` prints a table, `--json` lines; `interceptor bench` runs them all.
"""
