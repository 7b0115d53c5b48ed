//! Online learning on plain numbers: learners, metrics, evaluation.
