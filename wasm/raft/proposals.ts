const TYPE_FIELD = 0x08
const PROPOSE = 2
/** Tags of eraftpb: entries of a Message, data of an Entry. */
const [ENTRIES_TAG, DATA_TAG] = [0x3a, 0x22]
const [VARINT, LENGTH] = [0, 2]

/** The commands that a member hands on to its leader; none in any other message. A message that ends early gives fewer. */
export function proposedIn(message: Uint8Array): Uint8Array[] {
  if (message[0] !== TYPE_FIELD || message[1] !== PROPOSE) return []
  return fieldsOf(message, ENTRIES_TAG).flatMap((entry) => fieldsOf(entry, DATA_TAG))
}

/** The fields with a tag, of a message whose other fields are numbers or of a given length. */
function fieldsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; at < message.length;) {
    const tag = message[at]!
    const [value, next] = varint(message, at + 1)
    at = next
    if ((tag & 7) === VARINT) continue
    if ((tag & 7) !== LENGTH) break
    if (tag === wanted) found.push(message.subarray(at, at + value))
    at += value
  }
  return found
}

/** @returns the number and where it ends; those of 2^53 and more are as good as endless */
function varint(bytes: Uint8Array, from: number): [value: number, end: number] {
  let value = 0
  for (let at = from, unit = 1; at < bytes.length; at++, unit *= 128) {
    const byte = bytes[at]!
    value += (byte & 0x7f) * unit
    if (byte < 0x80) return [value, at + 1]
  }
  return [value, bytes.length]
}
