//! One file of an image: a text (manifest, configuration), or a layer, packed or not.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use tar::EntryType;

use crate::engine::Budget;
use crate::engine::tape::{Tape, tidy};
use crate::measured::waste::{Files, Kind};

/// A text that is longer is none of an image.
const LONGEST_TEXT: u64 = 8 << 20;

/// A layer may unpack to this without a look at how small it was packed.
const UNSUSPICIOUS: u64 = 4 << 30;

/// What packs better holds nothing.
const BEST_RATIO: u64 = 2_000;

/// What a file of an image is.
#[derive(Clone, Debug)]
pub(super) enum Blob {
    /// JSON, not yet read.
    Text(Arc<[u8]>),
    /// A layer.
    Layer(Arc<Layer>),
    /// Neither; why it is no layer.
    Odd(String),
}

/// A layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layer {
    /// Bytes of the packed layer; `None` if it was not packed.
    pub(super) packed: Option<u64>,
    /// What it holds.
    pub(super) files: Files,
}

/// Reads a file of an image. What spends the budget is an error; what is broken is [`Blob::Odd`] and hurts only the image
/// that names it.
pub(super) fn read(reader: impl Read, size: u64, budget: &mut Budget) -> Result<Blob> {
    let mut reader = BufReader::with_capacity(64 << 10, reader);
    let mut head = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut head)?;
    if head.first() == Some(&b'{') || head.first() == Some(&b'[') {
        if size > LONGEST_TEXT {
            return Ok(Blob::Odd("it is too large a text".to_owned()));
        }
        Budget::spend(&mut budget.texts, size, "many manifests")?;
        reader.read_to_end(&mut head)?;
        return Ok(Blob::Text(head.into()));
    }
    let bounds = budget.clone();
    let whole = Cursor::new(head.clone()).chain(reader);
    let res = match head.as_slice() {
        [0x1f, 0x8b, ..] => layer(MultiGzDecoder::new(whole), Some(size), budget),
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => layer(Zstd::new(whole), Some(size), budget),
        _ => layer(whole, None, budget),
    };
    match res {
        Ok(layer) => Ok(Blob::Layer(Arc::new(layer))),
        Err(error) if error.is::<Spent>() => Err(error),
        Err(error) => {
            // What was not kept has cost no memory.
            *budget = Budget { unpacked: budget.unpacked, ..bounds };
            Ok(Blob::Odd(format!("{error:#}")))
        }
    }
}

/// A bound was reached.
#[derive(Debug)]
struct Spent(String);

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Spent {}

fn layer(reader: impl Read, packed: Option<u64>, budget: &mut Budget) -> Result<Layer> {
    let most = packed
        .map_or(budget.unpacked, |packed| budget.unpacked.min(packed.saturating_mul(BEST_RATIO).max(UNSUSPICIOUS)));
    let mut metered = Metered { reader, left: most };
    let res = files(&mut metered, budget);
    budget.unpacked -= (most - metered.left).min(budget.unpacked);
    res.map(|files| Layer { packed, files })
}

fn files<R: Read>(metered: &mut Metered<R>, budget: &mut Budget) -> Result<Files> {
    let mut tape = Tape::new(&mut *metered);
    let mut res = Files::default();
    let spent = |error: anyhow::Error| anyhow::Error::new(Spent(format!("{error:#}")));
    while let Some(member) = tape.next()? {
        Budget::spend(&mut budget.members, 1, "many files").map_err(spent)?;
        let n_bytes = (member.path.len() + member.target.len()) as u64;
        Budget::spend(&mut budget.names, n_bytes, "long names").map_err(spent)?;
        let kind = match member.kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File(member.size),
            EntryType::Link => Kind::Link,
            EntryType::Directory => Kind::Folder,
            _ => Kind::Other,
        };
        let target = if kind == Kind::Link { tidy(&member.target)? } else { Vec::new() };
        res.add(&member.path, kind, &target);
    }
    // The check sum of what is packed stands behind the last member.
    io::copy(metered, &mut io::sink())?;
    Ok(res)
}

/// A reader that ends in an error when more comes than may.
struct Metered<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.reader.read(buffer)?;
        let Some(left) = self.left.checked_sub(n_bytes as u64) else {
            self.left = 0;
            let message = "it unpacks to far more than a layer holds: it is broken, or a decompression bomb";
            return Err(io::Error::other(message));
        };
        self.left = left;
        Ok(n_bytes)
    }
}

/// Several frames of zstd one behind the other, as tools for partial pulls write them; those that hold no data are skipped.
struct Zstd<R> {
    reader: R,
    decoder: FrameDecoder,
    /// Whether the decoder is in a frame.
    is_open: bool,
}

impl<R: Read> Zstd<R> {
    fn new(reader: R) -> Zstd<R> {
        Zstd { reader, decoder: FrameDecoder::new(), is_open: false }
    }

    /// Opens the next frame; whether there is one.
    fn open(&mut self) -> io::Result<bool> {
        loop {
            let mut first = [0];
            if self.reader.read(&mut first)? == 0 {
                return Ok(false);
            }
            match self.decoder.reset(&mut first.as_slice().chain(&mut self.reader)) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.reader).take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.is_open {
                while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                    let some = BlockDecodingStrategy::UptoBlocks(1);
                    self.decoder.decode_blocks(&mut self.reader, some).map_err(io::Error::other)?;
                }
                let n_bytes = Read::read(&mut self.decoder, buffer)?;
                if n_bytes > 0 || buffer.is_empty() {
                    return Ok(n_bytes);
                }
            }
            self.is_open = self.open()?;
            if !self.is_open {
                return Ok(0);
            }
        }
    }
}

impl Blob {
    /// The text of a manifest or configuration.
    pub(super) fn text(&self) -> Result<&[u8]> {
        match self {
            Blob::Text(text) => Ok(text),
            Blob::Layer(_) => bail!("it is a layer, not a text"),
            Blob::Odd(why) => bail!("{why}"),
        }
    }

    /// The layer.
    pub(super) fn layer(&self) -> Result<Arc<Layer>> {
        match self {
            Blob::Layer(layer) => Ok(Arc::clone(layer)),
            Blob::Text(_) => bail!("it is a text, not a layer"),
            Blob::Odd(why) => Err(anyhow::anyhow!("{why}")).context("the layer cannot be read"),
        }
    }
}
