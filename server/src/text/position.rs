//! Lines, columns and encodings: the only place where they are turned into bytes.
//!
//! Lines end at LF, CR LF and a lone CR, as the protocol has them; BuildKit's end at LF alone and are
//! [`crate::segment`]'s. **Invariant:** a place that lies outside the text is moved to the nearest one inside; nothing
//! here panics, because a client may count as it likes.

use std::ops::Range;

use ropey::{Rope, RopeSlice};

use crate::text::{TextRange, TextSize};

/// What a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Code units of UTF-16: two for a character outside the basic plane. The protocol's default.
    Utf16,
    /// Characters (code points).
    Utf32,
}

/// A place as editors name it, both numbers from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineCol {
    /// The line.
    pub line: u32,
    /// The column, in units of an [`Encoding`].
    pub column: u32,
}

/// The byte of a place: past the last line the end of the text, past the end of a line the place before its line break,
/// inside a character the start of it.
pub fn offset(rope: &Rope, place: LineCol, encoding: Encoding) -> TextSize {
    let line_idx = place.line as usize;
    let Some(line) = rope.get_line(line_idx) else { return size(rope.len_bytes()) };
    let start = rope.line_to_byte(line_idx);
    size(start + column_to_byte(content(line), place.column as usize, encoding))
}

/// The line and column of a byte: past the end the end of the text, inside a character the start of it, between CR and
/// LF the place before both.
pub fn line_col(rope: &Rope, at: TextSize, encoding: Encoding) -> LineCol {
    let byte = usize::from(at).min(rope.len_bytes());
    let line_idx = rope.byte_to_line(byte);
    let line = content(rope.line(line_idx));
    let column = byte_to_column(line, byte - rope.line_to_byte(line_idx), encoding);
    LineCol { line: line_idx as u32, column: column as u32 }
}

/// The bytes between two places, whichever comes first.
pub fn range(rope: &Rope, places: Range<LineCol>, encoding: Encoding) -> TextRange {
    let start = offset(rope, places.start, encoding);
    let end = offset(rope, places.end, encoding);
    TextRange::new(start.min(end), start.max(end))
}

/// The places where a range of bytes starts and ends.
pub fn line_cols(rope: &Rope, range: TextRange, encoding: Encoding) -> Range<LineCol> {
    line_col(rope, range.start(), encoding)..line_col(rope, range.end(), encoding)
}

/// The line without its line break.
fn content(line: RopeSlice<'_>) -> RopeSlice<'_> {
    let n_chars = line.len_chars();
    let last = |n: usize| n_chars.checked_sub(n).and_then(|idx| line.get_char(idx));
    let n_break = match (last(2), last(1)) {
        (Some('\r'), Some('\n')) => 2,
        (_, Some('\n' | '\r')) => 1,
        _ => 0,
    };
    line.slice(..n_chars - n_break)
}

fn column_to_byte(line: RopeSlice<'_>, column: usize, encoding: Encoding) -> usize {
    let char_idx = match encoding {
        Encoding::Utf8 => line.byte_to_char(column.min(line.len_bytes())),
        Encoding::Utf16 => line.utf16_cu_to_char(column.min(line.len_utf16_cu())),
        Encoding::Utf32 => column.min(line.len_chars()),
    };
    line.char_to_byte(char_idx)
}

fn byte_to_column(line: RopeSlice<'_>, byte: usize, encoding: Encoding) -> usize {
    let char_idx = line.byte_to_char(byte.min(line.len_bytes()));
    match encoding {
        Encoding::Utf8 => line.char_to_byte(char_idx),
        Encoding::Utf16 => line.char_to_utf16_cu(char_idx),
        Encoding::Utf32 => char_idx,
    }
}

/// Texts beyond 4 GiB do not come through the protocol; if one did, places in it would be those of its first 4 GiB.
fn size(bytes: usize) -> TextSize {
    TextSize::try_from(bytes).unwrap_or(TextSize::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use arbtest::arbitrary::{Result, Unstructured};
    use arbtest::arbtest;
    use ropey::Rope;

    use super::{Encoding, LineCol, line_col, offset};
    use crate::text::TextSize;

    const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    /// The bytes of places in `text`, as (line, column, byte) that are checked in one encoding.
    fn check(text: &str, encoding: Encoding, places: &[(u32, u32, u32)]) {
        let rope = Rope::from_str(text);
        for &(line, column, byte) in places {
            let res = offset(&rope, LineCol { line, column }, encoding);
            assert_eq!(res, TextSize::from(byte), "{text:?} {line}:{column} {encoding:?}");
        }
    }

    #[test]
    fn columns_count_bytes_code_units_or_characters() {
        let text = "LABEL a=\"ü𝕏x\"\n";
        check(text, Encoding::Utf8, &[(0, 9, 9), (0, 11, 11), (0, 15, 15), (0, 16, 16)]);
        check(text, Encoding::Utf16, &[(0, 9, 9), (0, 10, 11), (0, 12, 15), (0, 13, 16)]);
        check(text, Encoding::Utf32, &[(0, 9, 9), (0, 10, 11), (0, 11, 15), (0, 12, 16)]);
    }

    #[test]
    fn a_place_inside_a_character_is_its_start() {
        check("ü𝕏x", Encoding::Utf8, &[(0, 1, 0), (0, 3, 2), (0, 4, 2), (0, 5, 2), (0, 6, 6)]);
        check("ü𝕏x", Encoding::Utf16, &[(0, 1, 2), (0, 2, 2), (0, 3, 6)]);
    }

    #[test]
    fn a_place_outside_the_text_is_moved_inside() {
        for encoding in ENCODINGS {
            check("", encoding, &[(0, 0, 0), (0, 9, 0), (7, 0, 0), (u32::MAX, u32::MAX, 0)]);
            check("FROM a\r\nRUN b\n", encoding, &[(0, 99, 6), (1, u32::MAX, 13), (2, 5, 14), (3, 0, 14)]);
        }
    }

    #[test]
    fn lines_end_at_lf_cr_and_both_and_nowhere_else() {
        let text = "a\rb\r\nc\nd\u{2028}e\u{c}f\u{85}g";
        for encoding in ENCODINGS {
            check(text, encoding, &[(0, 0, 0), (1, 0, 2), (2, 0, 5), (3, 0, 7), (4, 0, text.len() as u32)]);
        }
    }

    #[test]
    fn a_byte_order_mark_is_a_character_like_others() {
        check("\u{feff}FROM a", Encoding::Utf16, &[(0, 1, 3)]);
        check("\u{feff}FROM a", Encoding::Utf8, &[(0, 3, 3)]);
    }

    #[test]
    fn between_cr_and_lf_is_before_both() {
        let rope = Rope::from_str("a\r\nb");
        assert_eq!(line_col(&rope, 2.into(), Encoding::Utf8), LineCol { line: 0, column: 1 });
        assert_eq!(line_col(&rope, 99.into(), Encoding::Utf8), LineCol { line: 1, column: 1 });
    }

    /// What the functions above are to compute, from a plain string.
    fn model(text: &str, byte: usize, encoding: Encoding) -> LineCol {
        let (mut line, mut line_start) = (0, 0);
        for (at, char) in text.char_indices() {
            let next = at + char.len_utf8();
            let inside_crlf = char == '\r' && text[next..].starts_with('\n');
            if next <= byte && (char == '\n' || char == '\r') && !inside_crlf {
                line += 1;
                line_start = next;
            }
        }
        let before = &text[line_start..byte];
        let column = match encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 => before.encode_utf16().count(),
            Encoding::Utf32 => before.chars().count(),
        };
        LineCol { line, column: column as u32 }
    }

    fn any_text(u: &mut Unstructured<'_>) -> Result<String> {
        let pieces =
            ["\n", "\r", "\r\n", "RUN ", "\\\n", "ü", "𝕏", "\u{2028}", "\u{feff}", "#", "x", "\u{301}", "\u{85}"];
        (0..u.int_in_range(0..=40)?).map(|_| u.choose(&pieces).copied()).collect()
    }

    #[test]
    fn positions_go_there_and_back_in_all_three_encodings() {
        arbtest(|u| {
            let text = any_text(u)?;
            let rope = Rope::from_str(&text);
            for encoding in ENCODINGS {
                for byte in (0..=text.len()).filter(|&byte| text.is_char_boundary(byte)) {
                    let inside_crlf = text[..byte].ends_with('\r') && text[byte..].starts_with('\n');
                    if inside_crlf {
                        continue;
                    }
                    let at = TextSize::from(byte as u32);
                    let place = line_col(&rope, at, encoding);
                    assert_eq!(place, model(&text, byte, encoding), "{text:?} at {byte}");
                    assert_eq!(offset(&rope, place, encoding), at, "{text:?} at {byte}");
                }
            }
            Ok(())
        });
    }

    #[test]
    fn any_place_is_a_place_inside_the_text() {
        arbtest(|u| {
            let text = any_text(u)?;
            let rope = Rope::from_str(&text);
            let place = LineCol { line: u.int_in_range(0..=12)?, column: u.int_in_range(0..=12)? };
            let encoding = *u.choose(&ENCODINGS)?;
            let byte = usize::from(offset(&rope, place, encoding));
            assert!(text.is_char_boundary(byte), "{text:?} {place:?}");
            let back = line_col(&rope, TextSize::from(u.arbitrary::<u32>()?), encoding);
            assert!((back.line as usize) < rope.len_lines());
            Ok(())
        });
    }
}
