import { createServer } from 'node:net'

/** @returns each wanted port, or a free one where it is taken; all different, all free a moment ago */
export async function choosePorts(wanted: readonly number[]): Promise<number[]> {
  const chosen = new Set<number>()
  for (const first of wanted) {
    let port = chosen.has(first) ? undefined : await tryPort(first)
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
