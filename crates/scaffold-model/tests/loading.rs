//! Loading takes one tensor after the other: what a layer has packed is given back before the next
//! layer is touched, so that peak memory is the final size and a little more.

mod common;

use std::cell::RefCell;

use common::load;
use scaffold_formats::{Error, Tensor, TensorSource};
use scaffold_model::{ModelSpec, Precision};
use scaffold_testing::golden::tiny_decoders;

/// A source that writes down which tensors are taken and given back.
struct Recording<'a> {
    inner: &'a dyn TensorSource,
    events: RefCell<Vec<Event>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Event {
    Taken(String),
    Released(String),
}

impl TensorSource for Recording<'_> {
    fn info(&self, name: &str) -> Option<scaffold_formats::TensorInfo<'_>> {
        self.inner.info(name)
    }

    fn tensor(&self, name: &str) -> Result<Option<Tensor<'_>>, Error> {
        let found = self.inner.tensor(name)?;
        // Norms are small, also where each head has its own.
        if found.is_some_and(|tensor| tensor.shape.len() > 1 && !tensor.name.contains("norm")) {
            self.events.borrow_mut().push(Event::Taken(name.to_owned()));
        }
        Ok(found)
    }

    fn names(&self) -> Vec<&str> {
        self.inner.names()
    }

    fn origin(&self) -> String {
        self.inner.origin()
    }

    fn release(&self, name: &str) {
        self.events.borrow_mut().push(Event::Released(name.to_owned()));
        self.inner.release(name);
    }
}

/// The layer in a tensor's name.
fn layer(name: &str) -> Option<usize> {
    name.split('.').find_map(|part| part.parse().ok())
}

#[test]
fn a_layer_is_given_back_before_the_next_is_touched() {
    for golden in tiny_decoders() {
        let weights = golden.weights();
        let source = Recording { inner: &weights, events: RefCell::default() };
        let spec = ModelSpec::from_config(&golden.config()).expect("a specification");
        load(&source, spec, Precision::Native).expect("a decoder");
        let events = source.events.into_inner();
        for (at, event) in events.iter().enumerate() {
            let Event::Taken(name) = event else { continue };
            let given_back = Event::Released(name.clone());
            assert!(events.contains(&given_back), "{}: {name} is never given back", golden.name);
            let next = events.iter().position(
                |other| matches!(other, Event::Taken(other) if layer(name).is_some() && layer(other) > layer(name)),
            );
            if let Some(next) = next {
                assert!(
                    events[at..next].contains(&given_back),
                    "{}: {name} is kept too long",
                    golden.name
                );
            }
        }
    }
}
