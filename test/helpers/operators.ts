import { readFile, writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { StatusDocument } from '../../node/operations.ts'
import type {
  ChainSummary,
  EpochDocument,
  EpochRow,
  MotionDocument,
  ValidatorsDocument,
} from '../../node/operations-mesh.ts'
import { cutOff, Wire, type Cut } from './cell-faults.ts'
import { freePort, type Answer } from './cell.ts'
import { MeshMember } from './mesh-member.ts'
import { document, eventually, Stage, type RunningProcess } from './processes.ts'

const PROFILE = ['--profile', 'test', '-q']
/** A tone at its own frequency: each node reports, and all agree. */
const TONE = {
  KAIROS_SIGNAL_SOURCE: 'synthetic',
  KAIROS_SIGNAL_SYNTHETIC_SHAPE: 'tone',
  KAIROS_SIGNAL_RATE_HZ: '100',
  KAIROS_MASTER_TAU_MAX: '5',
}

/** A mesh of real processes of several operators, under loopback ports that stay. */
export class Operators {
  readonly stage: Stage
  readonly #running = new Map<string, RunningProcess>()
  readonly #ports = new Map<string, number>()
  readonly #wires = new Map<string, Wire>()
  readonly #members: MeshMember[] = []

  private constructor(stage: Stage) {
    this.stage = stage
  }

  static async open(): Promise<Operators> {
    return new Operators(await Stage.open())
  }

  async close(): Promise<void> {
    for (const member of this.#members) await member.close()
    for (const wire of this.#wires.values()) wire.close()
    await this.stage.close()
  }

  /** Makes the ways to these nodes, which do not run yet, such as `cut` can cut. */
  async wire(names: readonly string[]): Promise<void> {
    for (const name of names) this.#wires.set(name, await Wire.open(this.#ports.get(name)!))
  }

  /** Cuts one off from all others; undefined mends all. */
  cut(name: string, cut: Cut | undefined): void {
    cutOff(this.#wires, name, this.process(name).child.pid!, cut)
  }

  /** What is set up as this name, in the hands of the test. */
  async member(name: string): Promise<MeshMember> {
    const member = await MeshMember.open({
      directory: this.stage.path(name),
      listen: address(this.#ports.get(name)!),
      bootstrap: this.#others(name),
    })
    this.#members.push(member)
    return member
  }

  /** A mesh of one. */
  async init(name: string): Promise<void> {
    await this.stage.did(name, ['init', '--name', name, '--cell', name, ...PROFILE])
    this.#ports.set(name, await freePort())
  }

  /** One founder of each operator, named alike. @param weights - `alpha=3`, where they are not 1 */
  async found(names: readonly string[], epochMs = 1000, weights: readonly string[] = []): Promise<void> {
    const entries: string[] = []
    for (const name of names) {
      const entry = await this.stage.did(name, ['init', '--founder', '--name', name, '--role', 'full', '--cell', name])
      await writeFile(this.stage.path(`${name}.json`), entry)
      entries.push(this.stage.path(`${name}.json`))
    }
    const shape = ['--name', 'mesh', '--weight', '1', ...weights, '--epoch', String(epochMs / 1000)]
    const genesis = this.stage.path('genesis')
    await writeFile(genesis, await this.stage.did(names[0]!, ['genesis', 'create', ...shape, ...entries]))
    await Promise.all(names.map((name) => this.stage.did(name, ['init', '--genesis', genesis, ...PROFILE])))
    for (const name of names) this.#ports.set(name, await freePort())
  }

  /** Invites by a running full node. */
  async join(name: string, through: string, role: string, ...invitation: string[]): Promise<void> {
    const ticket = (await this.stage.did(through, ['invite', '--role', role, '-q', ...invitation])).trim()
    await this.stage.did(name, ['join', ticket, '--name', name, ...PROFILE])
    this.#ports.set(name, await freePort())
  }

  async run(name: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
    const wire = this.#wires.get(name)
    const places = {
      KAIROS_NETWORK_LISTEN: address(this.#ports.get(name)!),
      KAIROS_NETWORK_BOOTSTRAP: this.#others(name).join(','),
      ...(wire === undefined ? {} : { KAIROS_NETWORK_ANNOUNCE: address(wire.port) }),
    }
    this.#running.set(name, await this.stage.run(name, [], { env: { ...TONE, ...places, ...env } }))
  }

  process(name: string): RunningProcess {
    return this.#running.get(name)!
  }

  async metrics(name: string): Promise<string> {
    const [url, token] = await this.#access(name)
    return (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text()
  }

  /** Once the motion, which another node may have moved a moment ago, is known there. */
  async vote(name: string, motion: string, yes: boolean): Promise<Answer<MotionDocument>> {
    return eventually(`${name} knows the motion`, async () => {
      const answer = await this.call<MotionDocument>(name, 'motions/vote', { motion, yes })
      return answer.ok || answer.code !== 'E_MOTION_UNKNOWN' ? answer : undefined
    })
  }

  async validators(name: string): Promise<ValidatorsDocument> {
    const answer = await this.call<ValidatorsDocument>(name, 'validators')
    if (!answer.ok) throw new Error(`validators of ${name}: ${answer.code}`)
    return answer.data
  }

  async move(by: string, change: object): Promise<MotionDocument> {
    const answer = await this.call<MotionDocument>(by, 'motions/move', { change })
    if (!answer.ok) throw new Error(`no motion: ${answer.code}`)
    return answer.data
  }

  /** Moved by the first, voted for by all of these, and in force at each of them. */
  async setPolicy(names: readonly string[], policy: object): Promise<void> {
    const { id } = await this.move(names[0]!, { type: 'policy-set', policy })
    for (const name of names.slice(1)) {
      const answer = await this.vote(name, id, true)
      if (!answer.ok) throw new Error(`no vote of ${name}: ${answer.code}`)
    }
    const holds = async (name: string) => {
      const found: object = (await this.validators(name)).policy
      return isDeepStrictEqual({ ...found, ...policy }, found)
    }
    await Promise.all(names.map((name) => eventually(`the policy holds at ${name}`, () => holds(name))))
  }

  /** All that the epochs up to the present say of who contradicted itself. */
  async evidence(name: string): Promise<(EpochDocument['evidenceRows'][number] & { in: number })[]> {
    const some = (await this.epochs(name, 1000)).filter((row) => row.evidence > 0)
    const rows = some.map(async ({ height }) => {
      const epoch = await this.call<EpochDocument>(name, `epochs/show?height=${height}`)
      return epoch.ok ? epoch.data.evidenceRows.map((row) => ({ ...row, in: height })) : []
    })
    return (await Promise.all(rows)).flat()
  }

  /** @param body - of a POST; a GET without */
  async call<T>(name: string, route: string, body?: object): Promise<Answer<T>> {
    try {
      const [url, token] = await this.#access(name)
      const response = await fetch(`${url}/api/v1/${route}`, {
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(15_000),
      })
      const answer = (await response.json()) as T & { error?: { code: string } }
      return response.ok ? { ok: true, data: answer } : { ok: false, code: answer.error?.code ?? 'E_UNREACHABLE' }
    } catch {
      return { ok: false, code: 'E_UNREACHABLE' }
    }
  }

  async end(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    return (await this.process(name).stop(signal)).code
  }

  #access(name: string): Promise<string[]> {
    const read = async (file: string) => (await readFile(this.stage.path(name, file), 'utf8')).trim()
    return Promise.all(['api', 'api.token'].map(read))
  }

  #others(name: string): string[] {
    const others = [...this.#ports].filter(([other]) => other !== name)
    return others.map(([other, port]) => address(this.#wires.get(other)?.port ?? port))
  }

  status(name: string): Promise<StatusDocument | undefined> {
    return document<StatusDocument>(this.stage.path(name), 'status')
  }

  async chain(name: string): Promise<ChainSummary | undefined> {
    return ((await this.status(name))?.chain ?? undefined) as ChainSummary | undefined
  }

  /** Waits until each of these has got so far. */
  async reach(height: number, names: readonly string[], timeoutMs?: number): Promise<void> {
    const until = (name: string) =>
      eventually(
        `${name} at epoch ${height}`,
        async () => ((await this.chain(name))?.height ?? -1) >= height,
        timeoutMs,
      )
    await Promise.all(names.map(until))
  }

  /** Oldest first, all that there are up to `to`. */
  async epochs(name: string, to: number): Promise<EpochRow[]> {
    const text = await this.stage.did(name, ['epoch', 'ls', '--from', '1', '--limit', String(to), '--json'])
    return text
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as EpochRow)
  }
}

function address(port: number): string {
  return `/ip4/127.0.0.1/tcp/${port}`
}
