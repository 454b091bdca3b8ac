import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { EpochRow, MotionRow } from '../../node/operations-mesh.ts'
import { Operators } from '../helpers/operators.ts'
import type { Blocks } from './mesh-cometbft.ts'

const NAMES = ['alpha', 'beta', 'gamma', 'delta'] as const
/** The least that a genesis may say: the next epoch begins when the last is final. */
const FULL_PACE_MS = 1
const FIRST_EPOCHS = 20
/** A vote each of these ends a motion before there are too many of one operator. */
const MOTIONS_OF_ONE = 4

/** Four operators of one validator each, four processes with disks of their own, at full pace. */
export class FourValidators {
  readonly #mesh: Operators

  private constructor(mesh: Operators) {
    this.#mesh = mesh
  }

  static async start(): Promise<FourValidators> {
    const mesh = await Operators.open()
    await mesh.found(NAMES, FULL_PACE_MS)
    await Promise.all(NAMES.map((name) => mesh.run(name)))
    await mesh.reach(FIRST_EPOCHS, NAMES)
    return new FourValidators(mesh)
  }

  /** Some epochs at full pace, then governance commands one after the other. */
  async measure(forMs: number): Promise<Blocks> {
    const from = (await this.#height()) + 1
    await delay(forMs)
    const to = await this.#height()
    const times = (await this.#rows(from, to)).map(({ time }) => Date.parse(time))
    const intervals = times.slice(1).map((time, i) => time - times[i]!)
    const transactions = []
    for (const name of NAMES) transactions.push(...(await this.#moves(name)))
    return { intervals, transactions }
  }

  /** As each validator measured it, from the start of a height to its decision. */
  async finalizedMs(): Promise<{ p50: number; p99: number }> {
    return (await this.#mesh.chain('alpha'))!.finalizedMs!
  }

  close(): Promise<void> {
    return this.#mesh.close()
  }

  async #moves(name: string): Promise<number[]> {
    const ask = await this.#asker(name)
    const taken = []
    for (let n = 1; n <= MOTIONS_OF_ONE; n++) {
      const began = performance.now()
      const change = { type: 'policy-set', policy: { idleEpochMs: 10_000 + n } }
      await ask<MotionRow>('motions/move', { change, expiresIn: 20 })
      taken.push(performance.now() - began)
    }
    return taken
  }

  async #asker(name: string): Promise<<T>(route: string, body: unknown) => Promise<T>> {
    const read = async (file: string) => (await readFile(this.#mesh.stage.path(name, file), 'utf8')).trim()
    const [url, token] = [await read('api'), await read('api.token')]
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    return async (route, body) => {
      const answer = await fetch(`${url}/api/v1/${route}`, { method: 'POST', headers, body: JSON.stringify(body) })
      if (!answer.ok) throw new Error(`${route}: ${await answer.text()}`)
      return (await answer.json()) as never
    }
  }

  async #height(): Promise<number> {
    return (await this.#mesh.chain('alpha'))!.height
  }

  async #rows(from: number, to: number): Promise<EpochRow[]> {
    const rows: EpochRow[] = []
    while (rows.length <= to - from) {
      const args = [
        '--from',
        String(from + rows.length),
        '--limit',
        String(Math.min(1000, to - from + 1 - rows.length)),
      ]
      const text = await this.#mesh.stage.did('alpha', ['epoch', 'ls', ...args, '--json'])
      rows.push(
        ...text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as EpochRow),
      )
    }
    return rows
  }
}
