#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let directory = format!("scaffold-fuzz-{}", std::process::id());
    scaffold::fuzzing::embedding_files(&std::env::temp_dir().join(directory), data);
});
