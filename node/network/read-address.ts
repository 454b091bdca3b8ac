import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { CodedError } from '../../protocols/shared/errors.ts'

/**
 * An address that a person wrote.
 *
 * @throws {CodedError} E_ADDRESS_INVALID
 */
export function readAddress(text: string): Multiaddr {
  try {
    const address = multiaddr(text)
    if (address.getComponents().length > 0) return address
    throw new Error('it has no part')
  } catch (cause) {
    throw new CodedError('E_ADDRESS_INVALID', `${text} is no multiaddr`, {
      hint: 'one looks like /ip4/192.0.2.7/tcp/18789',
      cause,
    })
  }
}

/**
 * The address of a node that is known by its key: nobody else can answer there.
 *
 * @throws {CodedError} E_ADDRESS_INVALID
 */
export function readPeerAddress(text: string): Multiaddr {
  const address = readAddress(text)
  if (address.getComponents().at(-1)?.name === 'p2p') return address
  throw new CodedError('E_ADDRESS_INVALID', `${text} does not say whose address it is`, {
    hint: 'one of a node ends in /p2p/ and its peer id, as `kairos id` prints it there',
  })
}
