use proptest::prelude::*;
use scaffold_error::Kind;

use super::*;

/// The golden file is one flat JSON object of hex strings; no JSON crate is needed to read it.
fn golden(ty: BlockType, field: &str) -> Option<Vec<u8>> {
    let text = include_str!("../../tests/golden/blocks.json");
    let entry = text.split_once(&format!("\"{}\": {{", ty.name()))?.1.split_once('}')?.0;
    let hex = entry.split_once(&format!("\"{field}\": \""))?.1.split_once('"')?.0;
    let digit = |c: u8| (c as char).to_digit(16).unwrap() as u8;
    Some(
        hex.as_bytes().as_chunks::<2>().0.iter().map(|[a, b]| digit(*a) << 4 | digit(*b)).collect(),
    )
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

#[test]
fn reads_every_type_as_gguf_py_does() {
    for ty in BlockType::ALL {
        let bytes = golden(ty, "bytes").expect("every type is in the golden file");
        let expected = floats(&golden(ty, "values").unwrap());
        let mut out = vec![0.0; expected.len()];
        dequantize(ty, &bytes, &mut out).unwrap();
        assert_eq!(out, expected, "{ty}");
    }
}

#[test]
fn writes_as_gguf_py_does() {
    let mut written = 0;
    for ty in BlockType::ALL {
        let Some(source) = golden(ty, "source") else {
            continue;
        };
        assert_eq!(quantize(ty, &floats(&source)).unwrap(), golden(ty, "bytes").unwrap(), "{ty}");
        written += 1;
    }
    assert_eq!(written, 8);
}

#[test]
fn refuses_partial_blocks_and_wrong_byte_counts() {
    let partial = dequantize(BlockType::Q4_0, &[0; 18], &mut [0.0; 31]).unwrap_err();
    let words = "31 values are not a whole number of Q4_0 blocks: this type stores 32";
    assert!(partial.to_string().starts_with(words), "{partial}");
    let short = dequantize(BlockType::Q6_K, &[0; 209], &mut [0.0; 256]).unwrap_err();
    assert!(short.to_string().contains("take 210 bytes, but 209 were given"), "{short}");
    assert_eq!(quantize(BlockType::Q4_K, &[0.0; 256]).unwrap_err().kind(), Kind::Unsupported);
    dequantize(BlockType::Q8_0, &[], &mut []).unwrap();
}

#[test]
fn names_read_back() {
    for ty in BlockType::ALL {
        assert_eq!(ty.name().to_lowercase().parse::<BlockType>().unwrap(), ty);
    }
    assert!("Q9_9".parse::<BlockType>().is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 210), pick in 0usize..15) {
        let ty = BlockType::ALL[pick];
        let blocks = bytes.len() / ty.bytes();
        let mut out = vec![0.0; blocks * ty.values()];
        dequantize(ty, &bytes[..blocks * ty.bytes()], &mut out).unwrap();
    }
}
