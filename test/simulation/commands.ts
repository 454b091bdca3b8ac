/** A register command as bytes: client u16, number u32, kind u8, key u8, value u32, expected u32. */
export interface Command {
  readonly client: number
  readonly number: number
  /** `join` and `leave` name a member by `value` */
  readonly kind: 'get' | 'set' | 'cas' | 'join' | 'leave'
  readonly key: number
  readonly value: number
  readonly expected: number
}

const LENGTH = 16
const KINDS = ['get', 'set', 'cas', 'join', 'leave'] as const

export function encodeCommand({ client, number, kind, key, value, expected }: Command): Uint8Array {
  const bytes = new Uint8Array(LENGTH)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, client)
  view.setUint32(2, number)
  view.setUint8(6, KINDS.indexOf(kind))
  view.setUint8(7, key)
  view.setUint32(8, value)
  view.setUint32(12, expected)
  return bytes
}

/** @throws RangeError for bytes of another shape */
export function decodeCommand(bytes: Uint8Array): Command {
  if (bytes.length !== LENGTH) throw new RangeError(`a command has ${LENGTH} bytes, this one ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH)
  const kind = KINDS[view.getUint8(6)]
  if (kind === undefined) throw new RangeError(`command kind ${view.getUint8(6)}`)
  const [client, number] = [view.getUint16(0), view.getUint32(2)]
  return { client, number, kind, key: view.getUint8(7), value: view.getUint32(8), expected: view.getUint32(12) }
}

export function commandId({ client, number }: Pick<Command, 'client' | 'number'>): string {
  return `c${client}-${number}`
}
