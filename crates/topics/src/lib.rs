//! All partitions, one owner each: append, read, watch.
