import { once } from 'node:events'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Holds a process as a machine that hangs would be held; whatever happens, it goes on. */
export async function pause(pid: number, ms: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  try {
    await delay(ms)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

/** In `inbound` nothing reaches the node any more, in `outbound` nothing comes from it. */
export type Cut = 'inbound' | 'outbound' | 'both'

interface Pair {
  caller: Socket
  called: Socket
  callerPid: number | undefined
}

/**
 * The only way to a node: where its peers are told to find it. Bytes of a direction that is cut wait, as those that are
 * not acknowledged do in TCP, and who connects meanwhile hangs.
 */
export class Wire {
  readonly #server: Server
  readonly #target: number
  readonly #pairs = new Set<Pair>()
  #cutOf: (callerPid: number | undefined) => Cut | undefined = () => undefined

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
  }

  /** @param target - port of the node on loopback */
  static async open(target: number): Promise<Wire> {
    const server = createServer({ pauseOnConnect: true })
    const wire = new Wire(server, target)
    server.on('connection', (caller) => void wire.#onConnection(caller))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return wire
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the wire is closed')
    return address.port
  }

  /** @param of - what is cut for a caller, as the called node sees it; undefined where nobody knows who calls */
  cut(of: (callerPid: number | undefined) => Cut | undefined): void {
    this.#cutOf = of
    for (const pair of this.#pairs) this.#flow(pair)
  }

  /** Ends every connection at once, as a router that is switched off. */
  hangUp(): void {
    for (const { caller } of this.#pairs) caller.destroy()
  }

  close(): void {
    this.hangUp()
    this.#server.close()
  }

  async #onConnection(caller: Socket): Promise<void> {
    const called = connect(this.#target, '127.0.0.1')
    const end = () => {
      caller.destroy()
      called.destroy()
    }
    for (const socket of [caller, called]) socket.on('error', end).on('close', end)
    const pair = { caller, called, callerPid: await ownerOf(caller.remotePort ?? 0) }
    if (caller.destroyed || called.destroyed) return end()
    this.#pairs.add(pair)
    caller.on('close', () => this.#pairs.delete(pair))
    caller.on('data', (bytes) => called.write(bytes))
    called.on('data', (bytes) => caller.write(bytes))
    this.#flow(pair)
  }

  #flow({ caller, called, callerPid }: Pair): void {
    const cut = this.#cutOf(callerPid)
    if (cut === 'inbound' || cut === 'both') caller.pause()
    else caller.resume()
    if (cut === 'outbound' || cut === 'both') called.pause()
    else called.resume()
  }
}

/** @returns the process whose socket on loopback has this port */
async function ownerOf(port: number): Promise<number | undefined> {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = (await readFile('/proc/net/tcp', 'latin1')).split('\n').map((row) => row.trim().split(/\s+/))
  const inode = rows.find((row) => row[1] === local)?.[9]
  if (inode === undefined) return undefined
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => [])
    const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')))
    if (links.includes(`socket:[${inode}]`)) return Number(pid)
  }
  return undefined
}

const OPPOSITE = { inbound: 'outbound', outbound: 'inbound', both: 'both' } as const

/** Cuts one node off from all others, whoever called whom; undefined mends all. */
export function cutOff(wires: ReadonlyMap<string, Wire>, name: string, pid: number, cut: Cut | undefined): void {
  for (const [called, wire] of wires) {
    const opposite = cut === undefined ? undefined : OPPOSITE[cut]
    wire.cut((callerPid) => (called === name ? cut : callerPid === pid ? opposite : undefined))
  }
}
