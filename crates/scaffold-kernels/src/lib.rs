//! Quantized block formats, packed matrices, attention and the worker team: the arithmetic of Scaffold.
