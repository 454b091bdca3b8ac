import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type {
  Application,
  Clock,
  CommitCertificate,
  Equivocation,
  ProposedBlock,
  Validator,
  Wal,
} from '../../../consensus/mesh/index.ts'
import { VirtualTime } from '../../simulation/time.ts'

/** What happened at the ports, in order. */
export type Trace = string[]

const PREFIX = Uint8Array.of(0x01, 0x71, 0x12, 0x20)
const text = {
  encode: (one: string) => new TextEncoder().encode(one),
  decode: (b: Uint8Array) => Buffer.from(b).toString(),
}

/** A block that says its height, who made it in which round, and whether it is valid. */
export function blockOf(height: number, name: string, isValid = true): ProposedBlock {
  const bytes = text.encode(JSON.stringify({ height, name, isValid }))
  return { value: Uint8Array.from([...PREFIX, ...createHash('sha256').update(bytes).digest()]), bytes }
}

export function nameOf(block: ProposedBlock): string {
  return (JSON.parse(text.decode(block.bytes)) as { name: string }).name
}

export function matches({ value, bytes }: ProposedBlock): boolean {
  return createHash('sha256').update(bytes).digest().equals(value.subarray(4))
}

export class VirtualClock implements Clock {
  readonly #time = new VirtualTime()

  now(): number {
    return this.#time.now
  }

  after(ms: number, run: () => void): () => void {
    return this.#time.after(ms, run)
  }

  /** Runs all that is due within so many milliseconds; promises settle between any two moments. */
  async pass(ms: number): Promise<void> {
    const until = this.#time.now + ms
    await settle()
    while (this.#time.step(until)) await settle()
  }

  /** Lets time pass until it is so. @throws when it is not within `ms` */
  async until(isSo: () => boolean, ms = 60_000): Promise<void> {
    const until = this.#time.now + ms
    await settle()
    while (!isSo()) {
      if (!this.#time.step(until) && this.#time.now >= until) throw new Error(`not so within ${ms} ms`)
      await settle()
    }
  }
}

/** Until whatever is resolved has been followed up. */
export async function settle(): Promise<void> {
  await turn()
  await turn()
}

/** What outlives a crash of its process. */
export class Disk {
  readonly log = new Map<number, Uint8Array[]>()
  readonly blocks = new Map<string, ProposedBlock>()
  isFailing = false
  readonly chain: { readonly block: ProposedBlock; readonly certificate: CommitCertificate }[] = []
}

/** Told of every step of a port, before it is done and after; one that never resolves is the end of the process. */
export type Step = (step: string, isDone: boolean) => void | Promise<void>

export class MemoryWal implements Wal {
  appends = 0
  readonly #disk: Disk
  readonly #step: Step

  constructor(disk: Disk, step: Step) {
    this.#disk = disk
    this.#step = step
  }

  async read(height: number): Promise<Uint8Array[]> {
    for (const other of this.#disk.log.keys()) if (other !== height) this.#disk.log.delete(other)
    return [...(this.#disk.log.get(height) ?? [])]
  }

  async append(height: number, records: readonly Uint8Array[]): Promise<void> {
    this.appends += 1
    const step = `append ${height}/${records.length}`
    await this.#step(step, false)
    if (this.#disk.isFailing) throw new Error('no space left on device')
    const log = this.#disk.log.get(height) ?? []
    log.push(...records)
    this.#disk.log.set(height, log)
    await this.#step(step, true)
  }
}

export interface ApplicationInit {
  readonly disk: Disk
  readonly step: Step
  /** who decides a height */
  validators(height: number): readonly Validator[]
  /** of whoever proposes here; two of one process never propose the same */
  readonly name: string
}

export class MemoryApplication implements Application {
  isBusy = true
  /** what a build waits for */
  building: Promise<void> | undefined
  builds = 0
  readonly signals: AbortSignal[] = []
  readonly evidences: Equivocation[] = []
  readonly checked: string[] = []
  readonly #init: ApplicationInit

  constructor(init: ApplicationInit) {
    this.#init = init
  }

  get height(): number {
    return this.#init.disk.chain.length
  }

  get validators(): readonly Validator[] {
    return this.#init.validators(this.height + 1)
  }

  async propose(round: number, signal: AbortSignal): Promise<ProposedBlock> {
    this.signals.push(signal)
    await this.building
    return blockOf(this.height + 1, `${this.#init.name}/${round}/${this.builds++}`)
  }

  async check(block: ProposedBlock): Promise<string | undefined> {
    const { height, isValid } = JSON.parse(text.decode(block.bytes)) as { height: number; isValid: boolean }
    this.checked.push(nameOf(block))
    await this.#init.step(`check ${nameOf(block)}`, false)
    return isValid && height === this.height + 1 ? undefined : 'E_BLOCK'
  }

  extension(): Uint8Array {
    return new Uint8Array()
  }

  isExtension(): boolean {
    return true
  }

  async persist(block: ProposedBlock): Promise<void> {
    const step = `persist ${nameOf(block)}`
    await this.#init.step(step, false)
    this.#init.disk.blocks.set(String(block.value), block)
    await this.#init.step(step, true)
  }

  async read(value: Uint8Array): Promise<ProposedBlock | undefined> {
    return this.#init.disk.blocks.get(String(value))
  }

  async commit(block: ProposedBlock, certificate: CommitCertificate): Promise<void> {
    const step = `commit ${certificate.height}`
    await this.#init.step(step, false)
    if (certificate.height !== this.height + 1) throw new Error(`${certificate.height} after ${this.height}`)
    this.#init.disk.chain.push({ block, certificate })
    await this.#init.step(step, true)
  }

  evidence(equivocation: Equivocation): void {
    this.evidences.push(equivocation)
  }
}
