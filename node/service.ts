/**
 * Anything with a life inside the node. `start` resolves when the service is usable; `stop` is
 * idempotent, may be called after a failed or missing start, and owns every timer and stream
 * (one AbortController) of the service.
 */
export interface Service {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}
