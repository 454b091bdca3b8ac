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
