//! Tokenizers, chat templates, streaming detokenization and stop strings.
