import { isPeerId, type Libp2p } from '@libp2p/interface'
import { drained } from '../../protocols/shared/drain.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'

/**
 * Our libp2p as bitswap needs it: its streams run on relayed connections, too (see `openStream`),
 * and wait for a slow peer. bitswap waits with `stream.onDrain`, which does not wait (see
 * `drained`): a batch over the write buffer's 16 MiB was cut off, and its blocks never came.
 */
export function libp2pForBitswap(libp2p: Libp2p): Libp2p {
  const dialProtocol: Libp2p['dialProtocol'] = async (target, protocols, options) => {
    const stream = isPeerId(target)
      ? await openStream(libp2p, target, protocols, options)
      : await libp2p.dialProtocol(target, protocols, options)
    stream.onDrain = async (options) => drained(stream, options?.signal)
    return stream
  }
  return new Proxy(libp2p, {
    get(target, key) {
      if (key === 'dialProtocol') return dialProtocol
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
