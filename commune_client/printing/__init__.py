"""Printing: the sheets of `onestop_sync.dossier.forms` as PDF, as plain text, into files, to a printer.

- `layout`: a sheet as things at places on pages; pure, given how wide text is.
- `pdf`: the pages as a PDF of A5 or A4, two A5 to an A4 where that is wanted.
- `text`: a sheet in 80 columns, for dot-matrix printers and terminals.
- `files`: names without personal data, files that replace none, and the system's printer.

Nothing of fpdf2 is imported before something is rendered.
"""
