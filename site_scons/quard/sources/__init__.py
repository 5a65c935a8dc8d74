"""Sources of packages: caches, mirrors, downloads, verification, local trees."""
