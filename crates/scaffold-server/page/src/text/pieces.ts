// The text of single tokens, out of the spellings that vocabularies have for them.

/** What byte-level vocabularies write for each byte that is no visible letter, as GPT-2 chose it. */
const BYTES = new Map<string, number>();
for (let byte = 0, next = 256; byte < 256; byte += 1) {
  const visible = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  BYTES.set(String.fromCodePoint(visible ? byte : next++), byte);
}

/** The texts of the pieces of one prompt; a part of a letter is `�`. */
export function texts(pieces: string[]): string[] {
  // No text has these letters as often as a byte-level vocabulary has blanks and ends of lines.
  const byBytes = pieces.some((piece) => piece.startsWith("Ġ") || piece.startsWith("Ċ"));
  return pieces.map((piece) => (byBytes ? ofBytes(piece) : piece.replaceAll("▁", " ").replace(/^<0x0A>$/, "\n")));
}

function ofBytes(piece: string): string {
  const bytes = Array.from(piece, (letter) => BYTES.get(letter));
  // Tokens such as `<|im_end|>` are spelled as they are; so is what has other letters.
  if (bytes.includes(undefined)) return piece;
  return new TextDecoder().decode(Uint8Array.from(bytes as number[]));
}
