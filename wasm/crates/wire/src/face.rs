use std::cell::RefCell;

thread_local! {
    // Of all nodes of an instance: one input is under way at a time.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static EFFECTS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for an input of `length` bytes; what was written there stays. Returns its address, which is good until the
/// next call, or null when that is more than `most`.
pub fn room(length: usize, most: usize) -> *mut u8 {
    if length > most {
        return std::ptr::null_mut();
    }
    ROOM.with_borrow_mut(|room| {
        if room.len() < length {
            room.resize(length, 0);
        }
        room.as_mut_ptr()
    })
}

/// Where the effects of the last input are, until the next one.
pub fn effects() -> *const u8 {
    EFFECTS.with_borrow(|effects| effects.as_ptr())
}

/// Has `take` turn the first `length` bytes of the room, which are none where there is less room, into effects, written in
/// the memory that it is given. Returns how many bytes these are.
pub fn input<R>(length: usize, take: impl FnOnce(Option<&[u8]>, Vec<u8>) -> Result<Vec<u8>, R>) -> Result<i32, R> {
    let effects = ROOM.with_borrow(|room| take(room.get(..length), EFFECTS.take()))?;
    let length = effects.len() as i32;
    EFFECTS.replace(effects);
    Ok(length)
}
