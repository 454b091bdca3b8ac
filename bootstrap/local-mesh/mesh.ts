import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { CodedError } from '../../protocols/shared/errors.ts'
import { cellLacks } from './cells.ts'
import { chainLacks } from './chain.ts'
import { startNode } from './cli.ts'
import { viewOf, type NodeView } from './client.ts'
import { isMember, prepareFounders, prepareGuests, type PlacedNode, type PrepareOptions } from './prepare.ts'

const POLL_MS = 250
/** A node that has not stopped by then is killed. */
const STOP_TIMEOUT_MS = 10_000

export interface RunningNode {
  node: PlacedNode
  child: ChildProcess
  stderr: () => string
  view: (NodeView & { api: string }) | undefined
}

/** @returns the exit code or the signal that ended it; undefined while it runs */
export function endOf({ child }: RunningNode): number | string | undefined {
  return child.exitCode ?? child.signalCode ?? undefined
}

/** Nine processes and what they say of themselves. */
export class LocalMesh {
  readonly running: RunningNode[] = []
  readonly #options: PrepareOptions
  readonly #nodes: PlacedNode[]
  #stopping = false

  constructor(nodes: PlacedNode[], options: PrepareOptions) {
    this.#nodes = nodes
    this.#options = options
  }

  /** @throws {CodedError} E_LOCAL_MESH when a command fails or a node dies at its start, E_STORAGE_UNWRITABLE */
  async start(progress: (text: string) => void): Promise<void> {
    progress('preparing four operators')
    await prepareFounders(this.#nodes, this.#options)
    this.#startAll(this.#nodes.filter((node) => node.founder))
    if (!this.#nodes.every(isMember)) {
      progress('inviting the other five')
      await this.#until(() => this.running[0]?.view !== undefined)
    }
    await prepareGuests(this.#nodes, this.#options)
    this.#startAll(this.#nodes.filter((node) => !node.founder))
    progress('waiting until all are connected, hear each other and agree on epochs')
  }

  /** Polls until every node is connected as its role says and hears every reporting node, each cell is whole, and epochs are final. */
  async ready(): Promise<void> {
    await this.#until(() => this.unready().length === 0)
  }

  /** @returns why the mesh is not ready, some reasons a node; empty when it is */
  unready(): string[] {
    const reporters = this.#nodes.filter((node) => node.column !== null).map((node) => node.name)
    return this.#nodes.flatMap((node) => {
      const view = this.running.find((running) => running.node === node)?.view
      if (view === undefined) return [`${node.name} does not answer`]
      if (!view.status.ready) return [`${node.name}: ${view.status.reasons.join(', ')}`]
      const needed = node.role === 'light' ? 1 : this.#nodes.filter((other) => other.role !== 'light').length - 1
      if (view.status.peers.connected < needed)
        return [`${node.name}: ${view.status.peers.connected} of ${needed} peers`]
      const fresh = view.coherence.reports.filter((report) => report.state === 'fresh')
      const heard = new Set(fresh.map((report) => report.name))
      const missing = reporters.filter((name) => !heard.has(name))
      if (missing.length > 0) return [`${node.name} does not hear ${missing.join(', ')}`]
      return [...cellLacks(node, view.status.cells), ...chainLacks(node, view.status.chain)]
    })
  }

  async refresh(): Promise<void> {
    await Promise.all(
      this.running.map(async (running) => {
        running.view = endOf(running) === undefined ? await viewOf(running.node.path) : undefined
      }),
    )
  }

  /** Ends every process that this mesh started, and no other. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(
      this.running.map(async (running) => {
        const { child } = running
        if (endOf(running) !== undefined) return
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
        await ended
        clearTimeout(timer)
      }),
    )
  }

  /** Tells of each node that ends although nobody stopped it. */
  onDeath(tell: (dead: RunningNode) => void): void {
    for (const running of this.running) {
      running.child.once('exit', () => {
        if (!this.#stopping) tell(running)
      })
    }
  }

  #startAll(nodes: PlacedNode[]): void {
    for (const node of nodes) this.running.push({ node, ...startNode(node.path), view: undefined })
  }

  async #until(done: () => boolean): Promise<void> {
    for (;;) {
      this.#options.signal.throwIfAborted()
      const dead = this.running.find((running) => endOf(running) !== undefined)
      if (dead !== undefined && !this.#stopping) {
        throw new CodedError('E_LOCAL_MESH', `${dead.node.name} ended at its start: ${dead.stderr().trim()}`)
      }
      await this.refresh()
      if (done()) return
      await delay(POLL_MS, undefined, { signal: this.#options.signal })
    }
  }
}
