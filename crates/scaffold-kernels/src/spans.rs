//! The rows of a step, sequence by sequence.

use std::mem::ManuallyDrop;

/// Rows that belong to one sequence: where their keys and values are, and at which positions.
#[derive(Debug, Clone, Copy)]
pub struct AttendSpan<'a> {
    /// The sequence's blocks, in order; positions 0 to `start + rows` must be covered.
    pub blocks: &'a [u32],
    /// Position of the first row.
    pub start: usize,
    /// How many rows.
    pub rows: usize,
}

/// Memory for lists of spans. A step's spans borrow what lives no longer than the step; the memory
/// of their list serves the next step, too, so that a steady decode allocates nothing.
///
/// ```
/// use scaffold_kernels::{AttendSpan, SpanMemory};
///
/// let mut memory = SpanMemory::default();
/// let blocks = vec![3, 1];
/// let mut spans = memory.lend();
/// spans.push(AttendSpan { blocks: &blocks, start: 17, rows: 1 });
/// memory.give_back(spans);
/// ```
///
/// What was in a list is not to be had from the memory again:
///
/// ```compile_fail,E0597
/// # use scaffold_kernels::{AttendSpan, SpanMemory};
/// let mut memory = SpanMemory::default();
/// let mut spans = memory.lend();
/// {
///     let blocks = vec![3, 1];
///     spans.push(AttendSpan { blocks: &blocks, start: 17, rows: 1 });
/// }
/// memory.give_back(spans);
/// ```
#[derive(Debug, Default)]
pub struct SpanMemory(Vec<AttendSpan<'static>>);

impl SpanMemory {
    /// No memory yet, but for so many spans.
    pub fn with_capacity(spans: usize) -> Self {
        Self(Vec::with_capacity(spans))
    }

    /// An empty list, in the memory of the one that was given back last.
    pub fn lend<'a>(&mut self) -> Vec<AttendSpan<'a>> {
        std::mem::take(&mut self.0)
    }

    /// Keeps a list's memory, not its spans.
    pub fn give_back(&mut self, list: Vec<AttendSpan<'_>>) {
        let mut list = ManuallyDrop::new(list);
        list.clear();
        // SAFETY: the memory is that of a `Vec`, which was not dropped, with its capacity. Both
        // lists' elements are of one type but for a lifetime, so size and alignment are the same;
        // the list is empty, so nothing is seen with the longer lifetime.
        self.0 = unsafe { Vec::from_raw_parts(list.as_mut_ptr().cast(), 0, list.capacity()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_the_memory_of_the_one_before_and_nothing_else_of_it() {
        let mut memory = SpanMemory::with_capacity(2);
        let blocks = vec![1, 2, 3];
        let mut list = memory.lend();
        let place = list.as_ptr().addr();
        for rows in 0..100 {
            list.push(AttendSpan { blocks: &blocks, start: 0, rows });
        }
        let (grown, capacity) = (list.as_ptr().addr(), list.capacity());
        assert_ne!((place, 2), (grown, capacity));
        memory.give_back(list);
        drop(blocks);
        let again = memory.lend();
        assert!(again.is_empty());
        assert_eq!((again.as_ptr().addr(), again.capacity()), (grown, capacity));
        // The memory is lent: until it is back, others get their own.
        assert_eq!(memory.lend().capacity(), 0);
    }
}
