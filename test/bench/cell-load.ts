import { Agent, request } from 'node:http'
import { quantile } from './figure.ts'

export const VALUE = 'x'.repeat(256)

/** One acknowledged write of 256 bytes; rejects when it was refused. */
export type Write = (key: string) => Promise<void>

/** Connections that stay open, as a client library keeps them. */
export const agent = new Agent({ keepAlive: true, maxSockets: 256 })

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(body))
  const head = { 'content-type': 'application/json', 'content-length': bytes.length, ...headers }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers: head, timeout: 10_000 }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode} ${text}`)),
      )
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer')))
    sent.on('error', reject)
    sent.end(bytes)
  })
}

export interface Load {
  perSecond: number
  p50: number
  p99: number
}

/** `clients` that write one after the other, together for `ms`. */
export async function load(write: Write, clients: number, ms: number): Promise<Load> {
  const times: number[] = []
  const until = performance.now() + ms
  const client = async (name: number) => {
    while (performance.now() < until) {
      const began = performance.now()
      await write(`k${name}`)
      times.push(performance.now() - began)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: clients }, (_, name) => client(name)))
  const seconds = (performance.now() - began) / 1000
  return { perSecond: times.length / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
}
