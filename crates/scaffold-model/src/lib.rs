//! Models as data: specifications, families, one decoder and one encoder.
