import { readFile } from 'node:fs/promises'
import type {
  GcRow,
  PinCopy,
  PinDocument,
  PinListDocument,
  PinStatusDocument,
  RepoStatDocument,
  VerifyRow,
} from '../../node/operations.ts'
import { eventually, type Stage } from './processes.ts'

type Query = Record<string, string | number | boolean>

/** What an API answered: its document as the one row, or its rows, and the error in their place or after them. */
export interface Told<T> {
  rows: T[]
  error: { code: string; message: string } | undefined
}

const LONGEST_MS = 60_000

/** Pins of real nodes, over their APIs. */
export class PinNodes {
  readonly #stage: Stage

  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** @param body - of a POST: JSON, or bytes as they are */
  async ask<T>(node: string, route: string, body?: object | Uint8Array): Promise<Told<T>> {
    const read = async (file: string) => (await readFile(this.#stage.path(node, file), 'utf8')).trim()
    const isBytes = body instanceof Uint8Array
    const type = isBytes ? 'application/octet-stream' : 'application/json'
    const headers = { authorization: `Bearer ${await read('api.token')}`, 'content-type': type }
    const sent = body && { method: 'POST', body: isBytes ? Buffer.from(body) : JSON.stringify(body) }
    const signal = AbortSignal.timeout(LONGEST_MS)
    const response = await fetch(`${await read('api')}/api/v1/${route}`, { ...sent, headers, signal })
    const rows = (await response.text()).split('\n').filter((line) => line !== '')
    const parsed = rows.map((line) => JSON.parse(line) as T & { error?: Told<T>['error'] })
    const error = parsed.at(-1)?.error
    return { rows: error === undefined ? parsed : parsed.slice(0, -1), error }
  }

  /** As `ask`; the error is thrown. */
  async rows<T>(node: string, route: string, body?: object | Uint8Array): Promise<T[]> {
    const { rows, error } = await this.ask<T>(node, route, body)
    if (error !== undefined) throw Object.assign(new Error(`${route} of ${node}: ${error.message}`), error)
    return rows
  }

  async one<T>(node: string, route: string, body?: object): Promise<T> {
    return (await this.rows<T>(node, route, body))[0]!
  }

  /** @returns the CID */
  async add(node: string, bytes: Uint8Array, query: Query = {}): Promise<string> {
    const rows = await this.rows<{ cid?: string }>(node, `add${inQuery(query)}`, bytes)
    return rows.findLast(({ cid }) => cid !== undefined)!.cid!
  }

  pin(node: string, path: string, options: object = {}): Promise<PinDocument> {
    return this.one(node, 'pins/add', { path, ...options })
  }

  /** @returns how it stands when the copies are held */
  async pinAndWait(node: string, path: string, options: object = {}): Promise<PinStatusDocument> {
    const rows = await this.rows<PinStatusDocument>(node, 'pins/add', { path, ...options, wait: {} })
    return rows.at(-1)!
  }

  unpin(node: string, path: string): Promise<PinDocument> {
    return this.one(node, 'pins/rm', { path })
  }

  list(node: string, query: Query = {}): Promise<PinListDocument> {
    return this.one(node, `pins${inQuery(query)}`)
  }

  get(node: string, path: string): Promise<PinDocument> {
    return this.one(node, `pins/get${inQuery({ path })}`)
  }

  status(node: string, path: string, query: Query = {}): Promise<PinStatusDocument> {
    return this.one(node, `pins/status${inQuery({ path, ...query })}`)
  }

  /** Waits until so many copies, and all that are allocated, are pinned. */
  held(node: string, path: string, copies: number): Promise<PinStatusDocument> {
    return eventually(`${copies} copies of ${path}, as ${node} sees them`, async () => {
      const status = await this.status(node, path).catch(() => undefined)
      return status?.pinned === copies && status.copies.every((copy) => copy.status === 'pinned') && status
    })
  }

  /** Waits for a copy that is as `look` wants it. */
  copy(node: string, path: string, what: string, look: (copy: PinCopy) => boolean): Promise<PinCopy> {
    return eventually(what, async () => (await this.status(node, path)).copies.find(look))
  }

  async cat(node: string, path: string): Promise<Buffer> {
    const read = async (file: string) => (await readFile(this.#stage.path(node, file), 'utf8')).trim()
    const headers = { authorization: `Bearer ${await read('api.token')}` }
    const signal = AbortSignal.timeout(LONGEST_MS)
    const response = await fetch(`${await read('api')}/api/v1/cat${inQuery({ path })}`, { headers, signal })
    if (!response.ok) throw new Error(`cat ${path} of ${node}: ${await response.text()}`)
    return Buffer.from(await response.arrayBuffer())
  }

  repo(node: string): Promise<RepoStatDocument> {
    return this.one(node, 'repo')
  }

  async gc(node: string): Promise<GcRow> {
    return (await this.rows<GcRow>(node, 'repo/gc', {})).at(-1)!
  }

  /** @returns what is wrong with the whole store, and what was repaired */
  async verify(node: string, repair = false): Promise<VerifyRow[]> {
    const rows = await this.rows<VerifyRow>(node, 'repo/verify', { repair })
    return rows.filter(({ cid }) => cid !== undefined)
  }
}

export function inQuery(query: Query): string {
  return `?${new URLSearchParams(Object.entries(query).map(([key, value]): [string, string] => [key, String(value)])).toString()}`
}
