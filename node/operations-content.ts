import type { PinDocument, PinOptions, PinStatusDocument, PinWait } from './operations-pins.ts'

export interface ContentOperations {
  add(entries: AsyncIterable<AddEntry>, options: AddOptions, signal: AbortSignal): AsyncIterable<AddRow>
  /** Bytes of the file at `CID[/path]`. */
  cat(path: string, options: { offset?: number; length?: number }, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Every file and directory under `CID[/path]`, parents before children, for `get`. */
  walk(path: string, signal: AbortSignal): AsyncIterable<WalkEntry>
  /** A CARv1 of the whole DAG. */
  car(path: string, signal: AbortSignal): AsyncIterable<Uint8Array>
  ls(path: string, signal: AbortSignal): AsyncIterable<LsRow>
  stat(path: string, signal: AbortSignal): Promise<StatDocument>
}

export interface AddEntry {
  path: string
  /** Absent for a directory. */
  content?: AsyncIterable<Uint8Array>
  mode?: number
}

/** Content of which what is added may be pinned in the same step. */
export interface PinningContentOperations extends Omit<ContentOperations, 'add'> {
  /** After the rows, where `options.pin` is there, what became of the pin of each root: of each path that has no `/`. */
  add(
    entries: AsyncIterable<AddEntry>,
    options: PinningAddOptions,
    signal: AbortSignal,
  ): AsyncIterable<AddRow | AddPinRow>
}

export interface AddOptions {
  wrapWithDirectory: boolean
}

export interface PinningAddOptions extends AddOptions {
  pin?: PinOptions
  /** With `pin`: goes on until copies are held. */
  wait?: PinWait
}

/** What was agreed; or, with `wait`, each change of what is observed. */
export type AddPinRow = { pin: PinDocument } | { status: PinStatusDocument }

export interface AddRow {
  path: string
  cid: string
  size: number
}

export interface WalkEntry {
  path: string
  cid: string
  type: 'file' | 'directory'
  size: number
  content?: AsyncIterable<Uint8Array>
}

export interface LsRow {
  name: string
  cid: string
  type: 'file' | 'directory'
  size: number
}

export interface StatDocument {
  cid: string
  type: 'file' | 'directory' | 'raw'
  size: number
  dagSize: number
  blocks: number
}
