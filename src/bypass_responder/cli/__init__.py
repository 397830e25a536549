"""``bypassctl``, the command line for people."""
