"""Interactive commands: the Kconfig editor and a shell."""
