//! What a batch costs: measured here, printed by the example `aggregate`.
