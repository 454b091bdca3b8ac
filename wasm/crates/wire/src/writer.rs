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

    pub fn wholes(&mut self, values: &[u64]) {
        self.list(values, |writer, value| writer.whole(*value));
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
