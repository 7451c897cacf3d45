use crate::{matmul::tests::weight_bytes, *};

#[test]
fn rows_read_back_as_they_were_stored() {
    let exec = Exec::new(2);
    for ty in BlockType::ALL {
        let (rows, cols) = (35, 512);
        let bytes = weight_bytes(ty, rows * cols, 11);
        let mut expected = vec![0.0; rows * cols];
        dequantize(ty, &bytes, &mut expected).unwrap();
        for precision in [Precision::Native, Precision::F32] {
            let source = MatrixSource {
                ty,
                rows,
                cols,
                bytes: &bytes,
            };
            let matrix = Matrix::pack(&exec, &[source], precision).unwrap();
            let mut row = vec![0.0; cols];
            for (index, expected) in expected.chunks_exact(cols).enumerate() {
                matrix.read_row(index, &mut row);
                assert_eq!(row, expected, "{ty} row {index} {precision:?}");
            }
        }
    }
}

#[test]
fn bad_parts_are_refused() {
    let exec = Exec::new(1);
    let part = |ty, rows, cols, bytes| MatrixSource {
        ty,
        rows,
        cols,
        bytes,
    };
    let pack =
        |parts: &[MatrixSource<'_>]| Matrix::pack(&exec, parts, Precision::Native).unwrap_err();
    assert!(matches!(pack(&[]), KernelError::EmptyMatrix { .. }));
    assert!(matches!(
        pack(&[part(BlockType::F32, 0, 4, &[])]),
        KernelError::EmptyMatrix { .. }
    ));
    assert!(matches!(
        pack(&[part(BlockType::F32, 1, 4, &[0; 15])]),
        KernelError::ByteCount { found: 15, .. }
    ));
    assert!(matches!(
        pack(&[part(BlockType::Q4_0, 2, 48, &[0; 54])]),
        KernelError::PartialBlock { .. }
    ));
    let two = [
        part(BlockType::F32, 1, 4, &[0; 16]),
        part(BlockType::F32, 1, 2, &[0; 8]),
    ];
    assert!(matches!(
        pack(&two),
        KernelError::StackedColumns {
            part: 1,
            expected: 4,
            found: 2
        }
    ));
    let huge = part(BlockType::F32, usize::MAX / 2, 4, &[]);
    assert!(matches!(pack(&[huge]), KernelError::TooLarge { .. }));
    assert!(matches!(
        pack(&[huge, huge, huge]),
        KernelError::TooLarge { .. }
    ));
}
