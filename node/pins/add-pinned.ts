import type {
  AddPinRow,
  AddRow,
  ContentOperations,
  PinningAddOptions,
  PinningContentOperations,
  PinOperations,
} from '../operations.ts'

/** Content whose `add` also pins. */
export function withPins(content: ContentOperations, pins: PinOperations): PinningContentOperations {
  return {
    add: (entries, options, signal) => addPinned(content.add(entries, options, signal), pins, options, signal),
    cat: (path, range, signal) => content.cat(path, range, signal),
    walk: (path, signal) => content.walk(path, signal),
    car: (path, signal) => content.car(path, signal),
    ls: (path, signal) => content.ls(path, signal),
    stat: (path, signal) => content.stat(path, signal),
  }
}

/** The last row names the root of all that was added. */
async function* addPinned(
  rows: AsyncIterable<AddRow>,
  pins: PinOperations,
  { pin, wait }: PinningAddOptions,
  signal: AbortSignal,
): AsyncGenerator<AddRow | AddPinRow> {
  let root: string | undefined
  for await (const row of rows) {
    root = row.cid
    yield row
  }
  if (pin === undefined || root === undefined) return
  if (wait === undefined) yield { pin: await pins.add(root, pin, signal) }
  else for await (const status of pins.addAndWait(root, pin, wait, signal)) yield { status }
}
