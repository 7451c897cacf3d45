//! The fuzz targets on the stable toolchain: their seeds replayed, and changed some thousand times.

use scaffold::fuzzing;
use scaffold_testing::corpus::survives;

#[test]
fn changed_vocabularies_of_gguf_files_are_survived() {
    survives("gguf_vocabulary", fuzzing::gguf_vocabulary, 2000);
}

#[test]
fn changed_settings_are_survived() {
    survives("dotenv", fuzzing::dotenv, 4000);
    survives("settings", fuzzing::settings, 4000);
}

#[test]
fn changed_modelfiles_are_survived() {
    survives("modelfile", fuzzing::modelfile, 4000);
}

#[test]
fn changed_repositories_of_embeddings_are_survived() {
    survives("embedding_files", embedding_files, 1000);
}

fn embedding_files(data: &[u8]) {
    thread_local! {
        static DIRECTORY: tempfile::TempDir = tempfile::tempdir().expect("a directory");
    }
    DIRECTORY.with(|directory| fuzzing::embedding_files(directory.path(), data));
}
