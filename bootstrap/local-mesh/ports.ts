import { createServer } from 'node:net'

/** @returns `count` ports that were free a moment ago: from `first` on, a free one where that is taken */
export async function choosePorts(first: number, count: number): Promise<number[]> {
  const chosen = new Set<number>()
  for (let i = 0; i < count; i++) {
    const wanted = first + i
    let port = chosen.has(wanted) ? undefined : await tryPort(wanted)
    while (port === undefined || chosen.has(port)) port = await tryPort(0)
    chosen.add(port)
  }
  return [...chosen]
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined))
    })
  })
}
