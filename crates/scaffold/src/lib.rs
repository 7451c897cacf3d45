//! Run Hugging Face models inside your own process.
