class _Dblite:
    _needs_sync: bool
