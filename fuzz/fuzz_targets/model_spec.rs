#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| scaffold_model::fuzzing::model_spec(data));
