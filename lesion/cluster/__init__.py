"""More than one process, on engines that exist; all of it optional, see files/cluster.md."""
