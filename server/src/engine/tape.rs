//! A tar archive as a stream: members one after the other, their data as a reader.
//!
//! The headers are read with the `tar` crate; the walk is our own, since names that are given in members of their own
//! (`././@LongLink`, pax) would be read into memory whatever their length.

use std::io::{self, Read};

use anyhow::{Context, Result, bail};
use tar::{EntryType, Header, PaxExtensions};

/// A block of a tar archive.
const BLOCK: usize = 512;

/// Longer names are not names.
const LONGEST_NAME: u64 = 64 << 10;

/// Longer pax headers are not headers: extended attributes lie in them.
const LONGEST_PAX: u64 = 1 << 20;

/// One member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Its path in parts joined by `/`, without a slash at its ends and without `.`.
    pub(super) path: Vec<u8>,
    /// What a link leads to, as it is written.
    pub(super) target: Vec<u8>,
    /// What it is.
    pub(super) kind: EntryType,
    /// Bytes of its data.
    pub(super) size: u64,
}

/// An archive that is being read.
pub(super) struct Tape<R> {
    reader: R,
    /// Bytes of the present member that were not read.
    left: u64,
    padding: u64,
}

/// Names that were given before a member.
#[derive(Default)]
struct Given {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
}

impl<R: Read> Tape<R> {
    pub(super) fn new(reader: R) -> Tape<R> {
        Tape { reader, left: 0, padding: 0 }
    }

    /// The next member; what is left of the last one is skipped.
    pub(super) fn next(&mut self) -> Result<Option<Member>> {
        let mut given = Given::default();
        loop {
            self.skip()?;
            let Some(block) = self.block()? else { return Ok(None) };
            if block.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            let header = Header::from_byte_slice(&block);
            check_sum(header, &block)?;
            let size = header.entry_size().context("not a tar archive: a size is no number")?;
            let kind = header.entry_type();
            let is_about_next = kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions();
            let size = given.size.filter(|_| !is_about_next).unwrap_or(size);
            self.left = size;
            self.padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
            match kind {
                EntryType::GNULongName => given.path = Some(without_end(self.text(LONGEST_NAME)?)),
                EntryType::GNULongLink => given.target = Some(without_end(self.text(LONGEST_NAME)?)),
                EntryType::XHeader => self.pax(&mut given)?,
                EntryType::XGlobalHeader => {}
                _ => {
                    let path = given.path.unwrap_or_else(|| header.path_bytes().into_owned());
                    let target = given.target.or_else(|| header.link_name_bytes().map(|it| it.into_owned()));
                    let size = self.sparse(header, size)?;
                    return Ok(Some(Member { path: tidy(&path)?, target: target.unwrap_or_default(), kind, size }));
                }
            }
        }
    }

    /// What is left of the present member's data, to be read.
    pub(super) fn data(&mut self) -> Data<'_, R> {
        Data { tape: self }
    }

    /// Of a file with holes: the blocks that list them are skipped, and its whole size is taken.
    fn sparse(&mut self, header: &Header, size: u64) -> Result<u64> {
        let Some(gnu) = header.as_gnu().filter(|_| header.entry_type().is_gnu_sparse()) else { return Ok(size) };
        let mut goes_on = gnu.is_extended();
        while goes_on {
            let Some(block) = self.block()? else { bail!("it ends in the middle of a file with holes") };
            goes_on = block.get(504).is_some_and(|byte| *byte != 0);
        }
        gnu.real_size().context("not a tar archive: a size is no number")
    }

    fn pax(&mut self, given: &mut Given) -> Result<()> {
        let text = self.text(LONGEST_PAX)?;
        for extension in PaxExtensions::new(&text) {
            let Ok(extension) = extension else { bail!("a pax header is broken") };
            let value = extension.value_bytes();
            match extension.key_bytes() {
                b"path" => given.path = Some(value.to_vec()),
                b"linkpath" => given.target = Some(value.to_vec()),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                    given.size = Some(size.context("a size in a pax header is no number")?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The data of the present member, kept in memory.
    fn text(&mut self, longest: u64) -> Result<Vec<u8>> {
        if self.left > longest {
            bail!("a name in it is {} bytes long", self.left);
        }
        let mut res = Vec::new();
        self.data().read_to_end(&mut res)?;
        Ok(res)
    }

    /// A whole block; `None` at the end.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut res = [0; BLOCK];
        let mut filled = 0;
        while let Some(rest) = res.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.reader.read(rest) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => bail!("it ends in the middle of a header: is it cut off, or no archive?"),
                Ok(n_bytes) => filled += n_bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(res))
    }

    fn skip(&mut self) -> Result<()> {
        io::copy(&mut self.data(), &mut io::sink())?;
        // Some writers leave the last padding out.
        io::copy(&mut (&mut self.reader).take(self.padding), &mut io::sink())?;
        self.padding = 0;
        Ok(())
    }
}

/// The data of a member.
pub(super) struct Data<'a, R> {
    tape: &'a mut Tape<R>,
}

impl<R: Read> Read for Data<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.tape.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let n_bytes = self.tape.reader.read(buffer)?;
        if n_bytes == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends in the middle of a file: it is cut off"));
        }
        self.tape.left -= n_bytes as u64;
        Ok(n_bytes)
    }
}

/// The sum of all bytes of a header, its own field taken as blanks.
fn check_sum(header: &Header, block: &[u8; BLOCK]) -> Result<()> {
    let sum: u32 =
        block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    match header.cksum() {
        Ok(written) if written == sum => Ok(()),
        _ => bail!("not a tar archive"),
    }
}

fn without_end(mut name: Vec<u8>) -> Vec<u8> {
    while name.last() == Some(&0) {
        name.pop();
    }
    name
}

/// The path in parts joined by `/`. One that leads out of the archive is an error: no builder writes it.
pub(super) fn tidy(path: &[u8]) -> Result<Vec<u8>> {
    let mut res = Vec::with_capacity(path.len());
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => bail!("a path leads out of it: {}", String::from_utf8_lossy(path).escape_debug()),
            _ => {
                if !res.is_empty() {
                    res.push(b'/');
                }
                res.extend_from_slice(part);
            }
        }
    }
    Ok(res)
}
