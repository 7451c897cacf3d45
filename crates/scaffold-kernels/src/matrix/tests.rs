use scaffold_error::{Error, Kind};

use crate::{matmul::tests::weight_bytes, *};

#[test]
fn rows_read_back_as_they_were_stored() {
    let exec = Exec::new(2);
    for ty in BlockType::ALL {
        let (rows, cols) = (35, 512);
        let bytes = weight_bytes(ty, rows * cols, 11);
        let mut expected = vec![0.0; rows * cols];
        dequantize(ty, &bytes, &mut expected).unwrap();
        for packed in [ty, BlockType::F32] {
            let source = MatrixSource::new(ty, rows, cols, &bytes).packed_as(packed);
            let matrix = Matrix::pack(&exec, &[source]).unwrap();
            let mut row = vec![0.0; cols];
            for (index, expected) in expected.chunks_exact(cols).enumerate() {
                matrix.read_row(index, &mut row);
                assert_eq!(row, expected, "{ty} row {index} {packed}");
            }
        }
    }
}

#[test]
fn floats_can_be_packed_as_blocks() {
    let exec = Exec::new(2);
    let pack = |ty, bytes: &[u8], packed| {
        let source = MatrixSource::new(ty, 35, 256, bytes).packed_as(packed);
        Matrix::pack(&exec, &[source]).unwrap()
    };
    for ty in [BlockType::F32, BlockType::F16, BlockType::BF16] {
        let bytes = weight_bytes(ty, 35 * 256, 5);
        let mut values = vec![0.0; 35 * 256];
        dequantize(ty, &bytes, &mut values).unwrap();
        for packed in [BlockType::Q8_0, BlockType::Q4_0, BlockType::Q4_K, BlockType::Q6_K] {
            let blocks = quantize_searched(exec.cpu, packed, &values, None).unwrap();
            let found = pack(ty, &bytes, packed);
            let expected = pack(packed, &blocks, packed);
            assert_eq!(found.packed(), expected.packed(), "{ty} as {packed}");
            assert_eq!(found.parts().next(), Some((packed, 0..35)));
        }
    }
}

#[test]
fn what_cannot_be_converted_is_refused() {
    let exec = Exec::new(2);
    let mut values = vec![1.0f32; 35 * 256];
    values[34 * 256 + 3] = f32::INFINITY;
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let source = MatrixSource::new(BlockType::F32, 35, 256, &bytes).packed_as(BlockType::Q4_K);
    let error = Matrix::pack(&exec, &[source]).unwrap_err();
    assert!(error.to_string().contains("inf, which no Q4_K block can hold"), "{error}");
    let source = MatrixSource::new(BlockType::F32, 35, 256, &bytes).packed_as(BlockType::IQ4_XS);
    assert!(Matrix::pack(&exec, &[source]).is_err());
}

#[test]
fn bad_parts_are_refused() {
    let exec = Exec::new(1);
    let part = |ty, rows, cols, bytes| MatrixSource::new(ty, rows, cols, bytes);
    let pack = |parts: &[MatrixSource<'_>]| Matrix::pack(&exec, parts).unwrap_err();
    let says = |parts: &[MatrixSource<'_>], kind, words| {
        let error = pack(parts);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    says(&[], Kind::Damaged, "0 rows and 0 columns");
    says(&[part(BlockType::F32, 0, 4, &[])], Kind::Damaged, "0 rows and 4 columns");
    says(&[part(BlockType::F32, 1, 4, &[0; 15])], Kind::Damaged, "but 15 were given");
    says(&[part(BlockType::Q4_0, 2, 48, &[0; 54])], Kind::Damaged, "a whole number of Q4_0 blocks");
    let two = [part(BlockType::F32, 1, 4, &[0; 16]), part(BlockType::F32, 1, 2, &[0; 8])];
    says(&two, Kind::Damaged, "part 1 of a stacked matrix has 2 columns, but the first part has 4");
    let huge = part(BlockType::F32, usize::MAX / 2, 4, &[]);
    says(&[huge], Kind::TooLarge, "larger than this machine can address");
    says(&[huge, huge, huge], Kind::TooLarge, "larger than this machine can address");
}

#[test]
fn packed_bytes_can_be_stored_and_mapped() {
    let exec = Exec::new(1);
    let (rows, cols) = (40, 256);
    let (a, b) =
        (weight_bytes(BlockType::Q4_K, rows * cols, 1), weight_bytes(BlockType::F16, 3 * cols, 2));
    let parts = [
        MatrixSource::new(BlockType::Q4_K, rows, cols, &a),
        MatrixSource::new(BlockType::F16, 3, cols, &b),
    ];
    let packed = Matrix::pack(&exec, &parts).unwrap();
    let shape: Vec<(BlockType, usize)> =
        packed.parts().map(|(ty, rows)| (ty, rows.len())).collect();

    let end = 128 + packed.packed().len();
    let mut file = Mapped::<u8>::zeroed(end);
    file[128..].copy_from_slice(packed.packed());
    let file = std::sync::Arc::new(file);
    let bytes = |range| PackedBytes::new(file.clone(), range);
    let mapped = Matrix::from_packed(cols, &shape, bytes(128..end).unwrap()).unwrap();
    let copied = bytes(128..end).unwrap().copied().unwrap();
    let copied = Matrix::from_packed(cols, &shape, copied).unwrap();
    assert!(copied.packed() == packed.packed());

    assert_eq!(mapped.needs(), packed.needs());
    let (mut x, mut y) = (vec![0.0; cols], vec![0.0; cols]);
    for row in 0..rows + 3 {
        packed.read_row(row, &mut x);
        mapped.read_row(row, &mut y);
        assert_eq!(x, y);
    }
    let text = |error: Error| error.to_string();
    assert!(text(bytes(130..end).unwrap_err()).contains("a multiple of 64"));
    assert!(text(bytes(128..end + 1).unwrap_err()).contains("end early"));
    let short = Matrix::from_packed(cols, &shape, bytes(128..end - 64).unwrap());
    assert!(text(short.unwrap_err()).contains("do not fit its shape"));
}
