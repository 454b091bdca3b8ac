import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { CodedError } from '../../protocols/shared/errors.ts'

/**
 * An address that a person wrote.
 *
 * @throws {CodedError} E_ADDRESS_INVALID
 */
export function readAddress(text: string, hint = 'one looks like /ip4/192.0.2.7/tcp/18789'): Multiaddr {
  try {
    const address = multiaddr(text)
    if (address.getComponents().length > 0) return address
    throw new Error('it has no part')
  } catch (cause) {
    throw new CodedError('E_ADDRESS_INVALID', `${text} is no multiaddr`, { hint, cause })
  }
}

/**
 * The address of a node that is known by its key: nobody else can answer there.
 *
 * @throws {CodedError} E_ADDRESS_INVALID
 */
export function readPeerAddress(text: string): Multiaddr {
  const hint = 'one looks like /ip4/192.0.2.7/tcp/18789/p2p/12D3KooW…: `kairos id` prints it there'
  const address = readAddress(text, hint)
  const parts = address.getComponents()
  if (parts.length > 1 && parts.at(-1)?.name === 'p2p') return address
  throw new CodedError('E_ADDRESS_INVALID', `${text} does not say where and who, with its peer id last`, { hint })
}
