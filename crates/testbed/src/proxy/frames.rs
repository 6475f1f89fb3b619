//! Messages out of a stream of bytes.

/// Bytes of one direction that are not yet a whole message.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    taken: usize,
}

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message of the usual form: a letter, the length of the rest with its own four
    /// bytes, the rest.
    pub(super) fn typed(&mut self) -> Option<Vec<u8>> {
        self.take(1)
    }

    /// The next message of the form before a session has begun: no letter.
    pub(super) fn untyped(&mut self) -> Option<Vec<u8>> {
        self.take(0)
    }

    fn take(&mut self, before_length: usize) -> Option<Vec<u8>> {
        let left = &self.bytes[self.taken..];
        let length = u32::from_be_bytes(*left.get(before_length..)?.first_chunk()?);
        // A length below its own four bytes is no PostgreSQL; passed on for the server to say so.
        let end = before_length + usize::try_from(length).ok()?.max(4);
        let message = left.get(..end)?.to_vec();
        self.taken += end;
        Some(message)
    }
}
