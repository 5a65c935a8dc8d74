"""Commands that people work in: the Kconfig editor and a shell."""
