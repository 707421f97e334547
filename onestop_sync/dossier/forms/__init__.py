"""The printed forms of the one-stop mechanism, as data: pure, made from a dossier's state and its history.

`sheets.sheet_of` makes a `paper.Sheet` of a form; who renders it (as PDF, as text for a dot-matrix printer)
needs to know nothing of dossiers. While something that a form prints is in conflict, it is not printed
(`checks.check_printable`).

- `kinds`: which forms there are, and which actions make them.
- `facts`: what a form is made from.
- `paper`: what a sheet of paper is made of.
- `receipt`, `slips`, `control_slip`, `register`: one form each, or those that are alike.
"""
