import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import type { z } from 'zod'
import { CodedError, messageOf } from '../shared/errors.ts'
import { foundersSchema, genesisCodec, genesisSchema } from './codec.ts'
import {
  DEFAULT_COLLAPSE_THRESHOLD,
  DEFAULT_EPOCH_MS,
  DEFAULT_OMEGA,
  MAX_GENESIS_TEXT_CHARS,
  MAX_TOTAL_WEIGHT,
} from './constants.ts'
import { strictKeyFrom } from './keys.ts'
import type { Founder, Genesis, GenesisOperator, Member } from './types.ts'

const DAG_CBOR = 0x71
const SHA2_256 = 0x12
/** With fewer operators nobody can stay under a third. */
const OPERATORS_TO_TOLERATE_ONE = 4

export interface GenesisOptions {
  name: string
  /** Unix milliseconds; now unless told. */
  created?: number
  open?: boolean
  omega?: number
  collapseThreshold?: number
  epochMs?: number
  /** By cell; an operator not named here is called as its cell and weighs 1. */
  operators?: Record<string, { name?: string; weight?: number }>
}

/**
 * Writes a genesis from the public entries of its founders: those of one cell are one operator.
 * The order of the entries does not matter: equal entries and options give an equal mesh id.
 *
 * @throws {CodedError} E_GENESIS_INVALID, E_KEY_WEAK
 */
export function createGenesis(entries: readonly Founder[], options: GenesisOptions): Genesis {
  const founders = checked(foundersSchema, entries)
  const cells = [...new Set(founders.map(({ cell }) => cell))].sort()
  const stray = Object.keys(options.operators ?? {}).find((cell) => !cells.includes(cell))
  if (stray !== undefined) throw invalid(`operators names the cell ${stray}, which has no founder`)
  return parseGenesis({
    version: 1,
    name: options.name,
    created: options.created ?? Date.now(),
    open: options.open ?? false,
    omega: options.omega ?? DEFAULT_OMEGA,
    collapseThreshold: options.collapseThreshold ?? DEFAULT_COLLAPSE_THRESHOLD,
    epochMs: options.epochMs ?? DEFAULT_EPOCH_MS,
    operators: cells.map((cell) => ({
      name: options.operators?.[cell]?.name ?? cell,
      cell,
      weight: options.operators?.[cell]?.weight ?? 1,
      founders: founders
        .filter((founder) => founder.cell === cell)
        .map(({ peerId, name, role }) => ({ peerId, name, role }))
        .sort((a, b) => (a.peerId < b.peerId ? -1 : 1)),
    })),
  })
}

/**
 * @param json - the text of a genesis file, or what it parses to
 * @throws {CodedError} E_GENESIS_INVALID with what is wrong and where, E_KEY_WEAK
 */
export function parseGenesis(json: unknown): Genesis {
  const genesis = checked(genesisSchema, typeof json === 'string' ? parseText(json) : json)
  checkGenesis(genesis)
  return genesis
}

/** The genesis of every member is one object, asked for on every connection. */
const meshIds = new WeakMap<Genesis, string>()

/** @returns the mesh id: CIDv1 (dag-cbor, sha2-256, base32) of the document's canonical bytes */
export function meshIdOf(genesis: Genesis): string {
  const known = meshIds.get(genesis)
  if (known !== undefined) return known
  const hash = createHash('sha256').update(genesisCodec.encode(genesis)).digest()
  const id = CID.createV1(DAG_CBOR, createDigest(SHA2_256, hash)).toString()
  meshIds.set(genesis, id)
  return id
}

/** @returns the founder with this peer id as a member: full ones have both rights */
export function founderOf(genesis: Genesis, peerId: string): Member | undefined {
  for (const operator of genesis.operators) {
    const founder = operator.founders.find((each) => each.peerId === peerId)
    if (founder !== undefined) return asMember(founder, operator)
  }
  return undefined
}

export function foundersOf(genesis: Genesis): Member[] {
  return genesis.operators.flatMap((operator) => operator.founders.map((founder) => asMember(founder, operator)))
}

/**
 * @returns how many operators may lie before they hold a third of the weight, the heaviest first;
 *   0 with fewer than four operators
 */
export function toleratedFaults({ operators }: { operators: readonly { weight: number }[] }): number {
  const weights = operators.map(({ weight }) => weight).sort((a, b) => b - a)
  const total = sum(weights)
  let lying = 0
  const faulty = weights.findIndex((weight) => (lying += weight) * 3 >= total)
  return Math.max(faulty, 0)
}

function checkGenesis(genesis: Genesis): void {
  const { operators } = genesis
  const founders = operators.flatMap((operator) => operator.founders)
  requireUnique(
    'operator name',
    operators.map(({ name }) => name),
  )
  requireUnique(
    'cell',
    operators.map(({ cell }) => cell),
  )
  requireUnique(
    'founder name',
    founders.map(({ name }) => name),
  )
  requireUnique(
    'key',
    founders.map(({ peerId }) => peerId),
  )
  founders.forEach(({ peerId }) => strictKeyFrom(peerId))
  const total = sum(operators.map(({ weight }) => weight))
  if (total >= MAX_TOTAL_WEIGHT) throw invalid(`the weights add up to ${total}, the limit is 2^33 - 1`)
  for (const { name, weight, founders } of operators) {
    if (!founders.some(({ role }) => role === 'full')) {
      throw invalid(`the operator ${name} has no full node, so nobody could vote or invite for its cell`)
    }
    if (operators.length >= OPERATORS_TO_TOLERATE_ONE && weight * 3 >= total) {
      throw invalid(`the operator ${name} has ${weight} of ${total}, a third or more: it alone could stop the mesh`)
    }
  }
  try {
    genesisCodec.encode(genesis)
  } catch (cause) {
    throw invalid(messageOf(cause), cause)
  }
}

function asMember(founder: GenesisOperator['founders'][number], { cell }: GenesisOperator): Member {
  return { ...founder, cell, rights: founder.role === 'full' ? ['issue', 'found'] : [] }
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw invalid(`${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`.trim())
}

function parseText(text: string): unknown {
  if (text.length > MAX_GENESIS_TEXT_CHARS)
    throw invalid(`${text.length} characters, the limit is ${MAX_GENESIS_TEXT_CHARS}`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalid(`not JSON: ${messageOf(cause)}`, cause)
  }
}

function requireUnique(what: string, values: string[]): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index)
  if (twice !== undefined) throw invalid(`the ${what} ${twice} stands there twice`)
}

function sum(weights: number[]): number {
  return weights.reduce((total, weight) => total + weight, 0)
}

function invalid(message: string, cause?: unknown): CodedError {
  return new CodedError('E_GENESIS_INVALID', `genesis: ${message}`, {
    hint: 'compare with the output of `kairos genesis create`; every member must hold the same file',
    cause,
  })
}
