import { BlockList, isIP } from 'node:net'
import type { Multiaddr } from '@multiformats/multiaddr'

/** The process's own machine: always inside the operator's ranges. */
export const LOOPBACK_RANGES = ['127.0.0.0/8', '::1/128']

/** A set of address ranges, `192.0.2.0/24` or `2001:db8::/32`. */
export class AddressRanges {
  readonly #list = new BlockList()

  constructor(ranges: Iterable<string>) {
    for (const range of ranges) {
      const [address = '', bits = ''] = range.split('/')
      this.#list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
    }
  }

  has(host: string): boolean {
    const family = isIP(host)
    return family !== 0 && this.#list.check(host, family === 6 ? 'ipv6' : 'ipv4')
  }
}

/** gossipsub asks a `Set` for exact addresses; this one answers for ranges. */
export class AddressRangeSet extends Set<string> {
  readonly #ranges: AddressRanges

  constructor(ranges: AddressRanges) {
    super()
    this.#ranges = ranges
  }

  override has(host: string): boolean {
    return this.#ranges.has(host)
  }
}

/** @returns the IP at the other end, undefined for a relayed connection (that is the relay's) or a name */
export function hostOf(address: Multiaddr): string | undefined {
  const components = address.getComponents()
  if (components.some(({ name }) => name === 'p2p-circuit')) return undefined
  const host = components.find(({ name }) => name === 'ip4' || name === 'ip6')?.value
  return host === undefined ? undefined : unmapped(host)
}

/** An IPv4 peer on an IPv6 socket (RFC 4291 §2.5.5.2) is an IPv4 peer. */
function unmapped(host: string): string {
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(host) ?? []
  if (high === undefined || low === undefined) return host
  const bytes = [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
  return bytes.join('.')
}

/** @returns what one owner surely holds: an IPv4 address, or the /64 of an IPv6 address */
export function ownerOf(host: string): string {
  if (isIP(host) !== 6) return host
  const [head = '', tail] = host.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array.from({ length: missing }, () => '0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

const DIALLABLE = new Set([
  'ip4',
  'ip6',
  'ip6zone',
  'dns',
  'dns4',
  'dns6',
  'dnsaddr',
  'tcp',
  'ws',
  'wss',
  'tls',
  'sni',
  'p2p',
  'p2p-circuit',
])

/** Whether a transport of ours can dial it: nothing else is worth keeping. */
export function isDiallable(address: Multiaddr): boolean {
  return address.getComponents().every(({ name }) => DIALLABLE.has(name))
}
