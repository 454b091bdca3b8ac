import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Keeps the number of connections bounded without letting those who hold them idle lock the others
 * out: when all are taken, the one that has waited longest without ever sending a request goes.
 *
 * @param event - `secureConnection` for TLS
 */
export function limitConnections(server: Server, event: 'connection' | 'secureConnection', limit: number): void {
  const open = new Set<Socket>()
  const silent = new Set<Socket>()
  const served = ({ socket }: IncomingMessage) => void silent.delete(socket)
  server.on(event, (socket: Socket) => {
    if (open.size >= limit) {
      const [oldest = socket] = silent
      forget(oldest)
      oldest.destroy()
      if (oldest === socket) return
    }
    open.add(socket)
    silent.add(socket)
    socket.once('close', () => forget(socket))
  })
  server.on('request', served).on('checkContinue', served)
  function forget(socket: Socket): void {
    open.delete(socket)
    silent.delete(socket)
  }
}
