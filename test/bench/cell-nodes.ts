import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CellStatusDocument } from '../../node/cell/types.ts'
import { document, eventually, Stage, type RunningProcess } from '../helpers/processes.ts'
import { post, VALUE, type Write } from './cell-load.ts'

const NAMES = ['a', 'b', 'c'] as const
type Name = (typeof NAMES)[number]

/** Three full nodes of one cell, each a process with a disk of its own. */
export class ThreeNodes {
  readonly #stage: Stage
  readonly #running = new Map<Name, RunningProcess>()

  private constructor(stage: Stage) {
    this.#stage = stage
  }

  static async start(): Promise<ThreeNodes> {
    const nodes = new ThreeNodes(await Stage.open())
    for (const name of NAMES) await nodes.#enter(name)
    await eventually('three voters', async () => (await nodes.status('a'))?.voters.length === 3)
    return nodes
  }

  async leader(): Promise<Name> {
    return eventually('a leader', async () => {
      for (const name of this.#running.keys()) if ((await this.status(name))?.role === 'leader') return name
      return undefined
    })
  }

  /** Writes a label of 256 bytes through a node. */
  async writer(name: Name): Promise<Write> {
    const read = async (file: string) => (await readFile(join(this.#stage.path(name), file), 'utf8')).trim()
    const [url, token] = [await read('api'), await read('api.token')]
    const peer = (await this.#stage.json<{ peerId: string }>(name, ['id'])).peerId
    const authorization = `Bearer ${token}`
    return (key) => post(`${url}/api/v1/members/label`, { peer, key, value: VALUE }, { authorization })
  }

  async kill(name: Name): Promise<void> {
    await this.#running.get(name)?.stop('SIGKILL')
    this.#running.delete(name)
  }

  async run(name: Name): Promise<void> {
    this.#running.set(name, await this.#stage.run(name))
  }

  others(name: Name): Name[] {
    return NAMES.filter((other) => other !== name)
  }

  close(): Promise<void> {
    return this.#stage.close()
  }

  status(name: Name): Promise<CellStatusDocument | undefined> {
    return document(this.#stage.path(name), 'cell')
  }

  async #enter(name: Name): Promise<void> {
    await this.#stage.did(name, ['init', '--name', name, '--profile', 'test'])
    if (name !== 'a') {
      const ticket = await this.#stage.did('a', ['invite', '--role', 'full', '-q'])
      await this.#stage.did(name, ['join', ticket.trim()])
    }
    await this.run(name)
  }
}
