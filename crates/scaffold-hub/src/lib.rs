//! Model names, Hugging Face tokens and access, the shared cache, and downloads that survive.
