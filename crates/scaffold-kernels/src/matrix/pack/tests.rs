use super::reference;
use crate::{matmul::tests::weight_bytes, *};

#[test]
fn every_type_is_packed_as_the_layout_says() {
    let exec = Exec::new(2);
    for ty in BlockType::ALL {
        for (rows, cols) in [(1, 256), (16, 512), (35, 768), (47, 1024)] {
            // Encoded values and, as codes of any bits, plain noise.
            let encoded = weight_bytes(ty, rows * cols, rows as u64);
            let noise: Vec<u8> = (0..encoded.len() as u64)
                .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 53) as u8)
                .collect();
            for bytes in [encoded, noise] {
                for packed in [ty, BlockType::F32] {
                    let source = MatrixSource::new(ty, rows, cols, &bytes).packed_as(packed);
                    let matrix = Matrix::pack(&exec, &[source]).unwrap();
                    assert!(
                        matrix.packed() == reference::pack(packed, &source),
                        "{ty} [{rows}, {cols}] as {packed}"
                    );
                }
            }
        }
    }
}

#[test]
fn short_rows_of_single_blocks_are_packed_too() {
    let exec = Exec::new(1);
    for ty in BlockType::ALL {
        let (rows, cols) = (17, ty.values() * 3);
        let bytes = weight_bytes(ty, rows * cols, 3);
        let source = MatrixSource::new(ty, rows, cols, &bytes);
        let matrix = Matrix::pack(&exec, &[source]).unwrap();
        assert!(matrix.packed() == reference::pack(ty, &source), "{ty}");
    }
}
