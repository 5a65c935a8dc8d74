"""Is the interface cutoff sound? Random libraries, random changes, what dependants make of them.

`model` says what a library is, `random_library` makes one, `changes` changes it, `source` writes it
down, `dependants` has what is built with it, `build` compiles all of it, `case` draws one case and
holds it against the property, `campaign` runs many and counts.
"""
