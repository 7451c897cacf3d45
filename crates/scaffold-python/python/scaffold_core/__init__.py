"""The names of projects that were moved from Ollama to Hugging Face's models: ``scaffold_core.llm.LLMManager``, and the settings in
``scaffold_core.config``. What stands behind them is :mod:`scaffold_llm`."""
