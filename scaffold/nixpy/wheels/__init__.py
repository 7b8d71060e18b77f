"""Where the facts of a wheel come from: the cache, an installed environment, a local file, an index."""
