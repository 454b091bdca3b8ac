import type { CodedError } from '../../../protocols/shared/errors.ts'
import type { KernelSource } from '../kernels.ts'

/** What an ingest says while it runs. Bad samples come one by one: a listener that logs them limits itself. */
export type IngestEvent =
  | { readonly type: 'loop'; readonly pass: number; readonly time: number }
  | { readonly type: 'bad-sample'; readonly line: number; readonly error: CodedError }
  | { readonly type: 'end'; readonly readings: number }

export type OnIngestEvent = (event: IngestEvent) => void

/** Time from outside, so that a replay can be tested without waiting. */
export interface Clock {
  /** milliseconds, monotonic */
  now(): number
  /** resolves after `ms`, or at once when the signal aborts */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** What an ingest needs from outside. */
export interface IngestDeps {
  /** ends the stream, quietly */
  readonly signal: AbortSignal
  readonly onEvent?: OnIngestEvent
  readonly clock?: Clock
  /** bytes of the live stream, for source `stdin`; default the process's own */
  readonly stdin?: AsyncIterable<Uint8Array>
  /** what works out large batches; default kernels of its own, which warn on the console when wasm fails */
  readonly kernels?: KernelSource
}
