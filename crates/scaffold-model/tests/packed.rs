//! Packed weights that an earlier load has left give the same model, without a look at the tensors.

mod common;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use scaffold_formats::packed::{PackedAbout, PackedFile, write_packed};
use scaffold_formats::{Error, Tensor, TensorSource, Watch};
use scaffold_model::{
    Decoder, Encoder, KvType, LoadOptions, ModelSpec, PackedStore, Precision, StoredMatrix,
};
use scaffold_testing::golden::{self, TinyGolden};

/// Keeps matrices in memory.
#[derive(Debug, Default)]
struct Kept {
    matrices: Mutex<HashMap<String, StoredMatrix>>,
    packed: Mutex<usize>,
}

impl PackedStore for Kept {
    fn get(&self, name: &str) -> Option<StoredMatrix> {
        self.matrices.lock().unwrap().get(name).cloned()
    }

    fn packed(&self, name: &str, matrix: StoredMatrix, _took: Duration) {
        *self.packed.lock().unwrap() += 1;
        let before = self.matrices.lock().unwrap().insert(name.to_owned(), matrix);
        assert!(before.is_none(), "{name} names two matrices");
    }
}

/// The model's tensors, with all matrices' values set to zero.
struct Blank<S>(S, Vec<u8>);

impl<S: TensorSource> TensorSource for Blank<S> {
    fn tensor(&self, name: &str) -> Result<Option<Tensor<'_>>, Error> {
        let mut tensor = self.0.tensor(name)?;
        if let Some(tensor) = &mut tensor
            && tensor.shape.len() > 1
        {
            tensor.bytes = &self.1[..tensor.bytes.len()];
        }
        Ok(tensor)
    }

    fn info(&self, name: &str) -> Option<scaffold_formats::TensorInfo<'_>> {
        self.0.info(name)
    }

    fn names(&self) -> Vec<&str> {
        self.0.names()
    }

    fn origin(&self) -> String {
        self.0.origin()
    }
}

fn loaded(golden: &TinyGolden, source: &dyn TensorSource, store: &dyn PackedStore) -> Arc<Decoder> {
    let options = LoadOptions { precision: Precision::F32, store: Some(store), loaded: None };
    let spec = ModelSpec::from_config(&golden.config()).unwrap();
    Decoder::load(source, spec, common::exec(), &options)
        .map_or_else(|e| panic!("{}: {e}", golden.name), Arc::new)
}

fn logits(decoder: &Arc<Decoder>, golden: &TinyGolden) -> Vec<f32> {
    common::Lone::new(decoder, KvType::F32).feed(&golden.input_ids)
}

#[test]
fn kept_matrices_take_the_place_of_tensors() {
    // Stacked parts, transposed matrices, heads to be sorted, experts.
    for name in ["llama", "gpt2", "gpt_neox", "mixtral"] {
        let golden = golden::tiny(name);
        let store = Kept::default();
        let first = loaded(&golden, &golden.weights(), &store);
        let packed = *store.packed.lock().unwrap();
        assert!(packed > 0);
        let blank = Blank(golden.weights(), vec![0; 1 << 22]);
        let second = loaded(&golden, &blank, &store);
        let again = *store.packed.lock().unwrap();
        assert_eq!(again, packed, "{name} was packed again");
        assert_eq!(first.weight_bytes(), second.weight_bytes());
        assert_eq!(logits(&first, &golden), logits(&second, &golden), "{name}");
    }
}

#[test]
fn a_kept_matrix_of_another_shape_is_packed_anew() {
    let golden = golden::tiny("llama");
    let store = Kept::default();
    let expected = logits(&loaded(&golden, &golden.weights(), &store), &golden);
    let mut matrices = std::mem::take(&mut *store.matrices.lock().unwrap());
    let packed = matrices.len();
    for matrix in matrices.values_mut() {
        matrix.parts[0].1 += 1;
    }
    let store = Misfits(matrices, Mutex::new(0));
    let decoder = loaded(&golden, &golden.weights(), &store);
    assert_eq!(*store.1.lock().unwrap(), packed);
    assert_eq!(logits(&decoder, &golden), expected);
}

/// Has only matrices of wrong shapes; counts those that were packed in their place.
#[derive(Debug)]
struct Misfits(HashMap<String, StoredMatrix>, Mutex<usize>);

impl PackedStore for Misfits {
    fn get(&self, name: &str) -> Option<StoredMatrix> {
        self.0.get(name).cloned()
    }

    fn packed(&self, _name: &str, _matrix: StoredMatrix, _took: Duration) {
        *self.1.lock().unwrap() += 1;
    }
}

/// Has no matrices, but a file.
#[derive(Debug)]
struct Mapped(PackedFile);

impl PackedStore for Mapped {
    fn get(&self, _name: &str) -> Option<StoredMatrix> {
        None
    }

    fn watch(&self) -> Option<Watch> {
        self.0.watch().cloned()
    }

    fn packed(&self, _name: &str, _matrix: StoredMatrix, _took: Duration) {}
}

#[test]
fn a_file_that_becomes_shorter_is_noticed_by_decoders_and_encoders() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("packed");
    let about =
        PackedAbout { layout: 1, key: String::new(), model: String::new(), source: path.clone() };
    write_packed(&path, &about, &[]).unwrap();
    let store = Mapped(PackedFile::open(&path).unwrap());
    let llama = golden::tiny("llama");
    let decoder = loaded(&llama, &llama.weights(), &store);
    let bert = golden::tiny("bert");
    let options = LoadOptions { store: Some(&store), ..LoadOptions::default() };
    let spec = ModelSpec::from_config(&bert.config()).unwrap();
    let encoder = Encoder::load(&bert.weights(), spec, common::exec(), &options).unwrap();
    assert!(decoder.check_weights().is_ok() && encoder.check_weights().is_ok());
    std::fs::File::options().write(true).open(&path).unwrap().set_len(1).unwrap();
    for lost in [decoder.check_weights(), encoder.check_weights()] {
        assert_eq!(lost.unwrap_err().kind(), scaffold_error::Kind::Damaged);
    }
}
