//! Frames: the length of a message as a little-endian u32, then the message. Pure.

use std::fmt;

use prost::Message;

pub const DEFAULT_MAX_FRAME_BYTES: usize = 64 * 1024 * 1024;

const HEADER_BYTES: usize = 4;

/// What the buffer keeps when a large frame is done, so that one such frame does not hold its memory for ever.
const KEPT_BYTES: usize = 1024 * 1024;

/// A frame announces more than its reader is willing to take.
#[derive(Debug, PartialEq, Eq)]
pub struct FrameTooLarge {
    frame_bytes: usize,
    max_frame_bytes: usize,
}

impl fmt::Display for FrameTooLarge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FrameTooLarge { frame_bytes, max_frame_bytes } = self;
        write!(formatter, "a frame of {frame_bytes} bytes is larger than the limit of {max_frame_bytes}")
    }
}

impl std::error::Error for FrameTooLarge {}

/// Cuts a stream that arrives in arbitrary chunks into frames.
#[derive(Debug)]
pub struct FrameSplitter {
    max_frame_bytes: usize,
    held: Vec<u8>,
    /// Where in `held` the next frame begins.
    position: usize,
}

impl FrameSplitter {
    #[must_use]
    pub fn new(max_frame_bytes: usize) -> Self {
        FrameSplitter { max_frame_bytes, held: Vec::new(), position: 0 }
    }

    /// Takes what arrived. It holds what has arrived, never what a frame merely announces.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.position > 0 {
            self.held.drain(..self.position);
            self.position = 0;
            if self.held.is_empty() {
                self.held.shrink_to(KEPT_BYTES);
            }
        }
        self.held.extend_from_slice(chunk);
    }

    /// The next complete message, if one has arrived.
    ///
    /// # Errors
    /// When the next frame is too large: there is no way to go on after it.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, FrameTooLarge> {
        let Some((header, rest)) = self.held[self.position..].split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let frame_bytes = u32::from_le_bytes(*header) as usize;
        if frame_bytes > self.max_frame_bytes {
            return Err(FrameTooLarge { frame_bytes, max_frame_bytes: self.max_frame_bytes });
        }
        let Some(frame) = rest.get(..frame_bytes) else { return Ok(None) };
        self.position += HEADER_BYTES + frame_bytes;
        Ok(Some(frame))
    }

    /// Whether the stream cannot end here.
    #[must_use]
    pub fn inside_frame(&self) -> bool {
        self.position < self.held.len()
    }
}

/// Appends a message as one frame.
///
/// # Errors
/// When the message is larger than a frame may be.
pub fn append_frame(message: &impl Message, max_frame_bytes: usize, out: &mut Vec<u8>) -> Result<(), FrameTooLarge> {
    let frame_bytes = message.encoded_len();
    match u32::try_from(frame_bytes) {
        Ok(header) if frame_bytes <= max_frame_bytes => {
            out.extend_from_slice(&header.to_le_bytes());
            message.encode_raw(out);
            Ok(())
        }
        _ => Err(FrameTooLarge { frame_bytes, max_frame_bytes }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Hello;

    fn stream(messages: &[&[u8]]) -> Vec<u8> {
        let frame = |message: &&[u8]| [&u32::try_from(message.len()).expect("short").to_le_bytes(), *message].concat();
        messages.iter().flat_map(frame).collect()
    }

    fn frames(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, FrameSplitter) {
        let mut splitter = FrameSplitter::new(100);
        let mut frames = Vec::new();
        for chunk in chunks {
            splitter.feed(chunk);
            while let Some(frame) = splitter.next_frame().expect("small frames") {
                frames.push(frame.to_vec());
            }
        }
        (frames, splitter)
    }

    #[test]
    fn a_stream_may_be_cut_anywhere() {
        let messages: [&[u8]; 4] = [b"one", b"", b"three", b"\0\0\0\0\0"];
        let stream = stream(&messages);
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let (frames, splitter) = frames(&[&stream[..first], &stream[first..second], &stream[second..]]);
                assert_eq!(frames, messages);
                assert!(!splitter.inside_frame());
            }
        }
    }

    #[test]
    fn an_end_is_clean_only_between_frames() {
        let stream = stream(&[b"one", b"two"]);
        for end in 0..=stream.len() {
            let (_, splitter) = frames(&[&stream[..end]]);
            assert_eq!(splitter.inside_frame(), !end.is_multiple_of(7), "{end}");
        }
    }

    #[test]
    fn a_frame_that_is_too_large_is_refused_at_its_header() {
        let mut splitter = FrameSplitter::new(100);
        splitter.feed(&[stream(&[b"ok"]), 101_u32.to_le_bytes().to_vec()].concat());
        assert_eq!(splitter.next_frame(), Ok(Some(b"ok".as_slice())));
        let refusal = splitter.next_frame().expect_err("too large");
        assert_eq!(refusal.to_string(), "a frame of 101 bytes is larger than the limit of 100");
        let mut splitter = FrameSplitter::new(DEFAULT_MAX_FRAME_BYTES);
        splitter.feed(&[0xff; 4]);
        assert!(splitter.next_frame().is_err());
        assert!(splitter.held.capacity() < 100);
    }

    #[test]
    fn a_large_frame_does_not_hold_its_memory_for_ever() {
        let large = stream(&[&vec![7; 4 * KEPT_BYTES]]);
        let mut splitter = FrameSplitter::new(DEFAULT_MAX_FRAME_BYTES);
        splitter.feed(&large);
        assert_eq!(splitter.next_frame().expect("allowed").map(<[u8]>::len), Some(4 * KEPT_BYTES));
        splitter.feed(b"\0");
        assert!(splitter.held.capacity() <= KEPT_BYTES);
    }

    #[test]
    fn what_is_appended_can_be_split() {
        let mut out = Vec::new();
        append_frame(&Hello { protocol_version: 300 }, 3, &mut out).expect("small");
        assert_eq!(frames(&[&out]).0, [[0x08, 0xac, 0x02]]);
        assert!(append_frame(&Hello { protocol_version: 300 }, 2, &mut out).is_err());
        assert_eq!(out.len(), 7);
    }
}
