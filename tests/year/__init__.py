"""A simulated year of two communes that become one on 1 July: their offices, machines, dossiers and reports.

`land` makes the province and its machines, `courses` says what becomes of each dossier, `year` lets the year
pass, `checks` says what has to hold afterwards. `python -m tests.year` runs it.
"""
