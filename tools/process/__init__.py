"""Work that may hang or burn: deadlines for threads and child processes, and the limits a child sets itself."""
