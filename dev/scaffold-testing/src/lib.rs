//! Tiny models, a fake Hub that misbehaves, and tolerances, for tests.
