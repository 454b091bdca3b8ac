import { z } from 'zod'
import type { PinningAddOptions, PinOptions } from '../operations.ts'
import { inQuery, jsonInQuery, numberInQuery, pinOptions } from './pin-schema.ts'

/** How what is added is pinned, in the query of `add`. */
export const PIN_PARAMS = {
  pin: z.stringbool().default(false).describe('Pin it; the others below count only with this'),
  pinName: pinOptions.name,
  replicationMin: numberInQuery(pinOptions.replicationMin),
  replicationMax: numberInQuery(pinOptions.replicationMax),
  allocations: inQuery(pinOptions.allocations).describe('Between commas'),
  expiresInSeconds: numberInQuery(pinOptions.expiresInSeconds),
  metadata: jsonInQuery(pinOptions.metadata).describe('A JSON object'),
  priority: numberInQuery(pinOptions.priority),
  wait: z.stringbool().default(false).describe('Stream its status until the copies are held'),
  waitCopies: numberInQuery(z.number().int().min(1).max(64).optional()).describe('All allocations unless told'),
  waitTimeoutMs: numberInQuery(z.number().int().min(1).max(2_147_483_647).optional()),
}

type Given = z.output<z.ZodObject<typeof PIN_PARAMS>> & { wrap: boolean }

export function addOptionsOf(params: Given): PinningAddOptions {
  const { wrap, pin, wait, waitCopies, waitTimeoutMs } = params
  return {
    wrapWithDirectory: wrap,
    ...(pin ? { pin: pinOf(params) } : {}),
    ...(pin && wait ? { wait: present({ copies: waitCopies, timeoutMs: waitTimeoutMs }) } : {}),
  }
}

function pinOf({ pinName, replicationMin, replicationMax, ...given }: Given): PinOptions {
  const { allocations, expiresInSeconds, metadata, priority } = given
  const options = { replicationMin, replicationMax, allocations, expiresInSeconds, metadata, priority }
  return present({ name: pinName, ...options })
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Without the keys that are undefined. */
function present<T extends object>(object: T): Present<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>
}
