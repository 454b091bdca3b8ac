import { hash, timingSafeEqual } from 'node:crypto'
import { CodedError } from '../../protocols/shared/errors.ts'

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]']

export interface Names {
  /** `api.host` and `api.allow_hosts`. */
  allowed: readonly string[]
  /** The address on which this connection came in; a name cannot be rebound to it. */
  localAddress: string | undefined
}

/**
 * A page of another site can make a browser send requests here, by name (DNS rebinding) or by
 * address (CSRF): the Host must be a name of ours, the Origin must be this very API.
 *
 * @throws {CodedError} E_HOST_REFUSED, E_ORIGIN_REFUSED
 */
export function checkNames(host: string | undefined, origin: string | undefined, names: Names): void {
  const name = hostName(host)
  const known = [...LOOPBACK_NAMES, ...names.allowed, names.localAddress ?? '']
  if (name === undefined || !known.some((allowed) => bare(allowed) === bare(name)))
    throw new CodedError('E_HOST_REFUSED', `the Host ${show(host)} is no name of this API`, {
      hint: 'add the name to api.allow_hosts',
    })
  if (origin === undefined) return
  const from = originOf(origin)
  if (from === undefined || (from.host !== host && !names.allowed.some((name) => bare(name) === bare(from.hostname))))
    throw new CodedError('E_ORIGIN_REFUSED', `a page of ${show(origin)} may not call this API`, {
      hint: 'add its host to api.allow_hosts',
    })
}

/**
 * @param header - the Authorization header
 * @throws {CodedError} E_UNAUTHORIZED
 */
export function checkToken(header: string | undefined, token: string): void {
  const [, given] = /^Bearer ([\w.~+/=-]+)$/i.exec(header ?? '') ?? []
  if (given !== undefined && sameText(given, token)) return
  const problem = header === undefined ? 'the request carries no token' : 'the token is not one of this node'
  throw new CodedError('E_UNAUTHORIZED', problem, {
    hint: 'send "Authorization: Bearer TOKEN" with the content of api.token in the node’s directory',
  })
}

/** Takes as long for a token that is nearly right as for any other. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => hash('sha256', text, 'buffer')
  return timingSafeEqual(digest(a), digest(b))
}

/** The name in a Host header, lower case, without the port; undefined when it is none. */
function hostName(host: string | undefined): string | undefined {
  const [, name] = /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.exec(host ?? '') ?? []
  return name?.toLowerCase()
}

function originOf(origin: string): URL | undefined {
  return /^https?:\/\/[^/]+$/.test(origin) && URL.canParse(origin) ? new URL(origin) : undefined
}

/** IPv6 addresses appear with and without brackets, IPv4 also mapped into IPv6. */
function bare(name: string): string {
  return name
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/^::ffff:(?=\d)/, '')
}

function show(header: string | undefined): string {
  return header === undefined ? '(none)' : JSON.stringify(header.slice(0, 100))
}
