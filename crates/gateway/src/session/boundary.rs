//! Where the frames of the stream to the client begin and end, counted over the bytes its socket
//! has taken: when a session is cut off, the frame in progress is the only one that may be finished.

use phigate_wire::frame::HEADER_LEN;

/// Counts along the written bytes.
#[derive(Debug, Default)]
pub(super) struct Boundary {
    /// Bytes of the current frame's body still to be written.
    body: usize,
    /// A header of which only some bytes are written.
    header: [u8; HEADER_LEN],
    held: usize,
}

impl Boundary {
    /// These bytes were taken by the socket.
    pub(super) fn wrote(&mut self, mut bytes: &[u8]) {
        loop {
            if self.body >= bytes.len() {
                self.body -= bytes.len();
                return;
            }
            bytes = bytes.get(self.body..).unwrap_or_default();
            self.body = 0;
            let take = (HEADER_LEN - self.held).min(bytes.len());
            let (header, rest) = bytes.split_at(take);
            if let Some(room) = self.header.get_mut(self.held..self.held + take) {
                room.copy_from_slice(header);
            }
            self.held += take;
            bytes = rest;
            if self.held < HEADER_LEN {
                return;
            }
            self.held = 0;
            let [_, a, b, c, d] = self.header;
            self.body = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4);
        }
    }

    /// How many of `next`, the bytes that would be written next, finish the frame in progress; 0
    /// between frames, `None` when `next` does not reach that far.
    pub(super) fn rest(&self, next: &[u8]) -> Option<usize> {
        let len = if self.held == 0 {
            self.body
        } else {
            let mut header = self.header;
            let missing = HEADER_LEN - self.held;
            header
                .get_mut(self.held..)?
                .copy_from_slice(next.get(..missing)?);
            let [_, a, b, c, d] = header;
            missing + (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4)
        };
        (len <= next.len()).then_some(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_finds_the_end_of_the_frame() {
        let stream = [&b"D\0\0\0\x08abcd"[..], b"C\0\0\0\x06ok", b"Z\0\0\0\x05I"].concat();
        let ends = [0, 9, 16, 22];
        for at in 0..=stream.len() {
            for piece in 1..4 {
                let mut boundary = Boundary::default();
                let (written, next) = stream.split_at(at);
                written
                    .chunks(piece)
                    .for_each(|chunk| boundary.wrote(chunk));
                let end = ends.into_iter().find(|end| *end >= at).unwrap();
                assert_eq!(
                    boundary.rest(next),
                    Some(end - at),
                    "at {at}, pieces of {piece}"
                );
                if end > at {
                    assert_eq!(boundary.rest(&next[..end - at - 1]), None);
                }
            }
        }
    }
}
