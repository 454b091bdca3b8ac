import type { Socket } from 'node:net'
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { tcp, type TCPComponents, type TCPOptions } from '@libp2p/tcp'

type Upgraders = { upgrader: Upgrader }

/**
 * TCP whose connections write once in a turn of the event loop.
 *
 * libp2p 3 writes each piece by itself: a Noise frame is two packets (its length, then the rest), and a message that
 * needs an answer of the muxer twice that. On a link of small messages, as a cell's, that was most of the time.
 */
export function coalescingTcp(options: TCPOptions): (components: TCPComponents) => Transport {
  const create = tcp(options)
  return (components) => {
    const transport = create(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = (address, dialOptions) => dial(address, upgradingCoalesced(dialOptions))
    transport.createListener = (listenOptions) => createListener(upgradingCoalesced(listenOptions))
    return transport
  }
}

function upgradingCoalesced<Options extends Upgraders>(options: Options): Options {
  const { upgrader } = options
  const upgradeInbound: Upgrader['upgradeInbound'] = (connection, more) =>
    upgrader.upgradeInbound(coalesced(connection), more)
  const upgradeOutbound: Upgrader['upgradeOutbound'] = (connection, more) =>
    upgrader.upgradeOutbound(coalesced(connection), more)
  const wrapped = Object.assign(Object.create(upgrader), { upgradeInbound, upgradeOutbound }) as Upgrader
  return { ...options, upgrader: wrapped }
}

/** What libp2p's own connection of a socket has, though its types do not say so. */
interface SocketConnection {
  socket?: Socket
  sendData?: (data: Iterable<Uint8Array>) => unknown
}

/** Holds what is written until this turn and its microtasks are over. */
export function coalesced<Connection extends MultiaddrConnection>(connection: Connection): Connection {
  const inner = connection as SocketConnection
  const { socket, sendData } = inner
  if (socket === undefined || sendData === undefined) return connection
  let isHeld = false
  const release = (): void => {
    isHeld = false
    socket.uncork()
  }
  inner.sendData = (data) => {
    if (!isHeld) {
      isHeld = true
      socket.cork()
      process.nextTick(release)
    }
    return sendData.call(connection, data)
  }
  return connection
}
