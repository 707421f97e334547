"""The national portal: what a dossier looks like there, and what comes from there. Pure.

- `settings`: what differs from system to system, as data
- `steps`: the transitions of a dossier in the order of their causes
- `documents`: DongBoHoSoMC and CapNhatTienDoHoSoMC, made from a dossier
- `outside`, `voices`: what a citizen filed there, read into a draft or a complaint
- `format`: a strict checker of both, which shares nothing with what writes them
"""
