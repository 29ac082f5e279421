"""Our own small model: its file, its data generator, its training."""
