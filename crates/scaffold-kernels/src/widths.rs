//! Kernels for each number of rows or queries that a register tile may hold.

/// An expression for a number of a tile's rows (or whatever it is made of), which is a constant
/// there, so that a kernel is compiled for each.
macro_rules! for_width {
    ($width:expr, $rows:literal, $constant:ident => $run:expr) => {
        for_width!($width, $rows, $constant => $run, 1 2 3 4 5 6)
    };
    ($width:expr, $rows:literal, $constant:ident => $run:expr, $($value:literal)*) => {
        match $width {
            $($value => {
                const $constant: usize = $value;
                $run
            })*
            other => unreachable!("{other} {} in a tile of 1 to 6", $rows),
        }
    };
}
