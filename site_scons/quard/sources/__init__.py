"""Where sources come from: caches, mirrors, the network, local trees."""
