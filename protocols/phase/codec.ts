import { z } from 'zod'
import { defineCodec } from '../shared/codec.ts'
import { MAX_PERIOD_MS, MAX_REPORT_BYTES, MIN_PERIOD_MS } from './constants.ts'

/** A complex number whose parts are Q1.30 integers: value = n / 2³⁰, |n| ≤ 2³⁰ (coherence.md P11). */
export type ComplexQ30 = [re: number, im: number]

/** What a node says about its own coherence, once per period. */
export interface PhaseReport {
  /** CID bytes of the genesis document. */
  mesh: Uint8Array
  /** Raw ed25519 public key of the reporting node, 32 bytes. */
  author: Uint8Array
  /** Height that the report belongs to: the one after the last final epoch that its author knew. */
  epoch: number
  /** Counts up by one per report of this author, never reused. */
  seq: number
  /** Author's wall clock, ms since 1970. */
  time: number
  /** Time between two reports of the author, ms: how long this one is fresh follows from it. */
  periodMs: number
  emissary: ComplexQ30
  /** null on a light node, which runs no master. */
  master: ComplexQ30 | null
  /** T_sync = (T_m + T_e)/2 on a full node, the emissary's T on a light one. */
  sync: ComplexQ30
  /** Effective samples behind `sync`, in thousandths. */
  nEffMilli: number
  collapsed: { emissary: boolean; master: boolean; sync: boolean }
  /** ||T_m|-|T_e|| in Q1.30 and |arg(T_m conj T_e)| in microradians; null without a master. */
  alignment: { magnitude: number; argument: number } | null
  /** CIDs (bytes) of the heads of memory and of the witness log, when there are any. */
  heads: Uint8Array[]
}

const Q30_ONE = 2 ** 30
const part = z.int().min(-Q30_ONE).max(Q30_ONE)
/** A liar's T may not leave the unit disc by more than the rounding of both parts (coherence.md P1). */
const complex = z
  .tuple([part, part])
  .refine(([re, im]) => re * re + im * im <= (Q30_ONE + 1) ** 2, 'lies outside the unit disc')
const counter = z.int().min(0)
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'is not bytes')

const body = z.strictObject({
  a: bytes.refine((key) => key.byteLength === 32, 'is not a 32-byte key'),
  c: z.int().min(0).max(7),
  d: z.tuple([z.int().min(0).max(Q30_ONE), z.int().min(0).max(3_141_593)]).nullable(),
  e: complex,
  g: counter,
  h: z.array(bytes.refine((cid) => cid.byteLength <= 48, 'is too long for a CID')).max(2),
  k: complex.nullable(),
  m: bytes.refine((cid) => cid.byteLength <= 48, 'is too long for a CID'),
  n: counter,
  p: z.int().min(MIN_PERIOD_MS).max(MAX_PERIOD_MS),
  q: counter,
  s: complex,
  t: counter,
  v: z.literal(1),
})

const bodyCodec = defineCodec('phase report', MAX_REPORT_BYTES, body)

/** The signed report on the wire: the body stays the author's own bytes, so that the signature can travel on. */
export const envelopeCodec = defineCodec(
  'phase envelope',
  MAX_REPORT_BYTES,
  z.strictObject({
    b: bytes,
    s: bytes.refine((signature) => signature.byteLength === 64, 'is not a 64-byte signature'),
  }),
)

export const phaseCodecs = [bodyCodec, envelopeCodec]

export function encodeReport(report: PhaseReport): Uint8Array {
  const { emissary, master, sync } = report.collapsed
  return bodyCodec.encode({
    a: report.author,
    c: (emissary ? 1 : 0) | (master ? 2 : 0) | (sync ? 4 : 0),
    d: report.alignment === null ? null : [report.alignment.magnitude, report.alignment.argument],
    e: report.emissary,
    g: report.epoch,
    h: report.heads,
    k: report.master,
    m: report.mesh,
    n: report.nEffMilli,
    p: report.periodMs,
    q: report.seq,
    s: report.sync,
    t: report.time,
    v: 1,
  })
}

/** @throws {CodedError} E_FRAME_TOO_LARGE | E_FRAME_MALFORMED | E_FRAME_SCHEMA */
export function decodeReport(bytes: Uint8Array): PhaseReport {
  const wire = bodyCodec.decode(bytes)
  return {
    mesh: wire.m,
    author: wire.a,
    epoch: wire.g,
    seq: wire.q,
    time: wire.t,
    periodMs: wire.p,
    emissary: wire.e,
    master: wire.k,
    sync: wire.s,
    nEffMilli: wire.n,
    collapsed: { emissary: (wire.c & 1) !== 0, master: (wire.c & 2) !== 0, sync: (wire.c & 4) !== 0 },
    alignment: wire.d === null ? null : { magnitude: wire.d[0], argument: wire.d[1] },
    heads: wire.h,
  }
}
