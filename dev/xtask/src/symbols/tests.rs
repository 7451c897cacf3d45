use super::*;

const LEVEL: &str = "_ZN16scaffold_kernels3cpu3x864avx217h0083d22bab393be7E";
const OLD: &str = "_ZN4core9core_arch3x864avx216_mm256_add_epi3217h0083d22bab393be7E";
const NEW: &str =
    "_RNvNtNtNtCsgEmfK2I1SDS_4core9core_arch3x863avx13__mm256_mul_ps.llvm.4390578905440703777";
const ARM: &str = "_RNvNtNtNtNtCsgEmfK2I1SDS_4core9core_arch10arm_shared4neon9generated9vaddq_f32";
const OTHERS: [&str; 3] = [
    "_RNvNtNtNtCsgEmfK2I1SDS_4core9core_arch3x865xsave7__xgetbv",
    "_ZN75_$LT$core..core_arch..x86..__m256i$u20$as$u20$core..fmt..Debug$GT$3fmt17h0083d22bab393be7E",
    "_RNvNtNtNtCsgEmfK2I1SDS_4core9core_arch3x869pclmulqdq20__mm_clmulepi64_si128",
];

/// A file with a symbol table of these functions and of a variable.
fn elf(functions: &[&str]) -> Vec<u8> {
    let mut names = vec![0];
    let mut symbols = Vec::new();
    let functions = functions.iter().map(|name| (*name, 2_u8));
    for (name, info) in functions.chain([(OLD, 1)]) {
        symbols.extend((names.len() as u32).to_le_bytes());
        symbols.push(info);
        symbols.extend([0; 19]);
        names.extend(name.bytes().chain([0]));
    }
    let mut file = vec![0; 64];
    file[..6].copy_from_slice(b"\x7fELF\x02\x01");
    let (at, sizes) = ([64, 64 + symbols.len()], [symbols.len(), names.len()]);
    file[0x28..0x30].copy_from_slice(&(at[1] + names.len()).to_le_bytes());
    file[0x3a] = 64;
    file[0x3c] = 2;
    file.extend(symbols.into_iter().chain(names));
    for (kind, link, index) in [(2_u32, 1_u32, 0), (3, 0, 1)] {
        let mut header = [0; 64];
        header[4..8].copy_from_slice(&kind.to_le_bytes());
        header[0x18..0x20].copy_from_slice(&at[index].to_le_bytes());
        header[0x20..0x28].copy_from_slice(&sizes[index].to_le_bytes());
        header[0x28..0x2c].copy_from_slice(&link.to_le_bytes());
        file.extend(header);
    }
    file
}

#[test]
fn intrinsics_of_both_manglings_are_found() {
    let mut symbols = vec![LEVEL, OLD, NEW, ARM];
    symbols.extend(OTHERS);
    let stray = [
        "arm_shared::neon::generated::vaddq_f32",
        "x86::avx2::_mm256_add_epi32",
        "x86::avx::_mm256_mul_ps",
    ];
    let stray = Verdict::Stray(stray.map(str::to_owned).to_vec());
    assert_eq!(judge(&elf(&symbols), &[]), stray);
    assert_eq!(judge(&elf(&[LEVEL, OTHERS[0]]), &[]), Verdict::Stray(Vec::new()));
    let of_others = ["x86::avx2::_mm256_add_epi32"];
    assert_eq!(judge(&elf(&[LEVEL, OLD]), &of_others), Verdict::Stray(Vec::new()));
}

#[test]
fn what_cannot_be_read_is_told() {
    let whole = elf(&[LEVEL]);
    for file in [b"MZ", &b"\x7fELF\x01\x01"[..], b"", &elf(&[OLD]), &whole[..100]] {
        assert!(matches!(judge(file, &[]), Verdict::Unknown(_)));
    }
}

#[test]
fn damaged_files_do_no_harm() {
    let whole = elf(&[LEVEL, NEW]);
    for at in 0..whole.len() {
        judge(&whole[..at], &[]);
        for byte in [0, 1, 0x7f, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            judge(&damaged, &[]);
        }
    }
}

#[test]
fn the_binary_is_the_last_that_cargo_names() {
    let messages = "{\"executable\":null}\n{\"executable\":\"/t/scaffold-bench\"}\n{\"reason\":\"build-finished\"}\n";
    assert_eq!(executable(messages), Some(PathBuf::from("/t/scaffold-bench")));
    assert_eq!(executable("nothing"), None);
}
