//! The HTTP door: Ollama's and OpenAI's wire formats over one engine.
