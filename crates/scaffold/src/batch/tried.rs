//! Texts of which each fails alone.

use crate::embed::input::Input;
use crate::error::Error;

/// What came of each text before it was computed: its place among those that are, or why it is not.
pub(crate) struct Tried(Vec<Result<usize, Error>>);

impl Tried {
    /// The inputs that can be computed, and where all are.
    pub(crate) fn of(inputs: Vec<Result<Input, Error>>) -> (Vec<Input>, Self) {
        let mut good = Vec::with_capacity(inputs.len());
        let tried = inputs.into_iter().map(|input| {
            good.push(input?);
            Ok(good.len() - 1)
        });
        let tried = tried.collect();
        (good, Self(tried))
    }

    /// The result of each text: `failed` are those of the computed ones that failed, by their places
    /// among them, and `take` gives the others.
    pub(crate) fn results<T>(
        self,
        failed: Vec<(usize, Error)>,
        take: impl Fn(usize) -> T,
    ) -> Vec<Result<T, Error>> {
        let mut results: Vec<Result<T, Error>> =
            self.0.into_iter().map(|tried| tried.map(&take)).collect();
        let mut places: Vec<usize> = (0..results.len()).collect();
        places.retain(|&place| results[place].is_ok());
        for (place, error) in failed {
            // Among the computed ones it had another place.
            results[places[place]] = Err(error.of_item(places[place]));
        }
        results
    }
}
