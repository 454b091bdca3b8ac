//! The bytes between host and engine: little-endian fields in a fixed order, every length checked before it is used.

/// Greatest input but for a start: a message of 1 MiB of entries and its frame.
pub const MAX_INPUT: usize = 2 << 20;
/// Greatest start: the log of a restarting node.
pub const MAX_START: usize = 1 << 30;
// What JavaScript can count.
pub const MAX_WHOLE: u64 = 1 << 53;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or(Malformed)?;
        self.bytes = rest;
        Ok(head)
    }

    pub fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub fn bool(&mut self) -> Result<bool, Malformed> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().unwrap()) as usize)
    }

    /// A whole number under 2^53.
    pub fn whole(&mut self) -> Result<u64, Malformed> {
        let value = u64::from_le_bytes(self.take(8)?.try_into().unwrap());
        if value < MAX_WHOLE { Ok(value) } else { Err(Malformed) }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length()?;
        self.take(length)
    }

    /// `least` is the fewest bytes that an item takes: no more items are made room for than there can be.
    pub fn list<T>(
        &mut self,
        least: usize,
        item: impl Fn(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.length()?;
        if count > self.bytes.len() / least {
            return Err(Malformed);
        }
        (0..count).map(|_| item(self)).collect()
    }

    pub fn wholes(&mut self) -> Result<Vec<u64>, Malformed> {
        self.list(8, Self::whole)
    }

    pub fn end(&self) -> Result<(), Malformed> {
        if self.bytes.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

#[derive(Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub fn whole(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn bytes(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(value);
    }

    /// As its encoding, in bytes.
    pub fn message(&mut self, message: &impl prost::Message) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        message.encode(&mut self.bytes).expect("a Vec has room");
        let length = (self.bytes.len() - from - 4) as u32;
        self.bytes[from..from + 4].copy_from_slice(&length.to_le_bytes());
    }

    pub fn list<T>(&mut self, items: &[T], item: impl Fn(&mut Self, &T)) {
        self.bytes.extend_from_slice(&(items.len() as u32).to_le_bytes());
        for value in items {
            item(self, value);
        }
    }

    pub fn wholes(&mut self, values: &[u64]) {
        self.list(values, |writer, value| writer.whole(*value));
    }

    pub fn option<T>(&mut self, value: Option<T>, item: impl Fn(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            item(self, value);
        }
    }
}
