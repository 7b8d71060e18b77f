"""Run the commands without their command line: plan, check, scan, init, new.

In: a project and options. Out: a `Plan`, a `Verdict` or a `Scan`. Read `plan.py` first; it calls all stages.
"""
