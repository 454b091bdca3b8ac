//! Bytes in a fixed order, every length checked before it is used: little-endian between host and engine, big-endian in
//! what validators say and sign.

/// Greatest input but for a start: a message and its frame.
pub const MAX_INPUT: usize = 1 << 18;
/// Greatest start: what the log holds of one height.
pub const MAX_START: usize = 1 << 30;
// What JavaScript can count.
pub const MAX_WHOLE: u64 = 1 << 53;
/// Rounds are below: as signed numbers they have room for `none`, and counting one up overflows nothing.
pub const MAX_ROUND: u32 = (1 << 31) - 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or(Malformed)?;
        self.bytes = rest;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        Ok(self.take(N)?.try_into().unwrap())
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

    pub fn option<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, Malformed>) -> Result<Option<T>, Malformed> {
        if self.bool()? { item(self).map(Some) } else { Ok(None) }
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    /// A whole number under 2^53.
    pub fn whole(&mut self) -> Result<u64, Malformed> {
        let value = u64::from_le_bytes(self.array()?);
        if value < MAX_WHOLE { Ok(value) } else { Err(Malformed) }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length()?;
        self.take(length)
    }

    /// Bytes of one length only.
    pub fn exact<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.bytes()?.try_into().map_err(|_| Malformed)
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

    pub fn u32_be(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub fn round_be(&mut self) -> Result<u32, Malformed> {
        let round = self.u32_be()?;
        if round < MAX_ROUND { Ok(round) } else { Err(Malformed) }
    }

    pub fn height_be(&mut self) -> Result<u64, Malformed> {
        let height = u64::from_be_bytes(self.array()?);
        if height < MAX_WHOLE { Ok(height) } else { Err(Malformed) }
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
        self.raw(value);
    }

    pub fn raw(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    pub fn list<T>(&mut self, items: &[T], item: impl Fn(&mut Self, &T)) {
        self.bytes.extend_from_slice(&(items.len() as u32).to_le_bytes());
        for value in items {
            item(self, value);
        }
    }

    pub fn option<T>(&mut self, value: Option<T>, item: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            item(self, value);
        }
    }

    pub fn u32_be(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }

    pub fn u64_be(&mut self, value: u64) {
        self.raw(&value.to_be_bytes());
    }
}
