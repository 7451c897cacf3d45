//! Requests, sequences, KV blocks, the scheduler and the sampler.
