#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| scaffold::fuzzing::gguf_vocabulary(data));
