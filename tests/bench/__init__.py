"""The project's own benchmark: `./scons bench`."""
