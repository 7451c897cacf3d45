//! Model files as typed tensors and metadata: safetensors, GGUF and config.json, from untrusted bytes.
