import { z } from 'zod'
import type { PinOp } from '../../protocols/pins/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { cidPath, metadata, mode, peer, pinName, pinOptions, replicationOrder } from '../api/pin-schema.ts'
import type { PinFilter, PinOperations, PinOptions, PinPage } from '../operations-pins.ts'
import type { StatusFilter } from './look.ts'
import { STATUSES } from './statuses.ts'

const MAX_ROWS = 100

const options = z.strictObject(pinOptions).refine(...replicationOrder)
const page = z.strictObject({
  limit: z.number().int().min(1).max(MAX_ROWS),
  after: z.string().min(1).max(1024).optional(),
  order: z.enum(['cid', 'name', 'created']).optional(),
})
const filter = z.strictObject({
  name: pinName.optional(),
  metadata: metadata.optional(),
  mode: mode.optional(),
  allocatedTo: peer.optional(),
  createdAfter: z.iso.datetime({ offset: true }).optional(),
  createdBefore: z.iso.datetime({ offset: true }).optional(),
})

const seen = filter.extend({ statuses: z.array(z.enum(STATUSES)).max(STATUSES.length).optional() })

/** What each operation is given: the arguments of `PinOperations` as JSON. */
const ARGS = {
  add: z.tuple([cidPath, options]),
  remove: z.tuple([cidPath]),
  update: z.tuple([cidPath, cidPath, z.strictObject({ keep: z.boolean() })]),
  list: z.tuple([filter, page]),
  get: z.tuple([cidPath]),
  status: z.tuple([cidPath]),
  statuses: z.tuple([seen, page]),
  recover: z.tuple([cidPath.nullable(), z.strictObject({ local: z.boolean() })]),
} as const satisfies Record<PinOp, z.ZodType>

type Serve = (args: readonly unknown[], pins: PinOperations, signal: AbortSignal) => Promise<unknown>

const SERVE: Readonly<Record<PinOp, Serve>> = {
  add(args, pins, signal) {
    const [path, given] = ARGS.add.parse(args)
    return pins.add(path, given as PinOptions, signal)
  },
  remove: (args, pins, signal) => pins.remove(...ARGS.remove.parse(args), signal),
  update: (args, pins, signal) => pins.update(...ARGS.update.parse(args), signal),
  list(args, pins, signal) {
    const [given, where] = ARGS.list.parse(args)
    return pins.list(given as PinFilter, where as PinPage, signal)
  },
  get: (args, pins, signal) => pins.get(...ARGS.get.parse(args), signal),
  status: (args, pins, signal) => pins.status(...ARGS.status.parse(args), { local: false }, signal),
  statuses(args, pins, signal) {
    const [given, where] = ARGS.statuses.parse(args)
    return pins.statuses(given as StatusFilter, { ...(where as PinPage), local: false }, signal)
  },
  recover(args, pins, signal) {
    const [path, options] = ARGS.recover.parse(args)
    return pins.recover(path ?? undefined, options, signal)
  },
}

/** What a guest of the cell asks, checked as what comes over the API. @throws {CodedError} E_PARAMETER, and as the operation */
export async function serveGuest(pins: PinOperations, op: PinOp, args: readonly unknown[], signal: AbortSignal) {
  try {
    return await SERVE[op](args, pins, signal)
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    throw new CodedError('E_PARAMETER', z.prettifyError(error).slice(0, 512))
  }
}
