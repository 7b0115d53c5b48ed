//! Clock, randomness, files and named threads: the real ones and simulated ones.
