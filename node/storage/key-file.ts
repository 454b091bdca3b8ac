import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { inspect } from 'node:util'
import { CodedError } from '../../protocols/shared/errors.ts'
import { readSecretFile, writeFileDurable } from './files.ts'
import { isMissing } from './storage-error.ts'

/**
 * The node key on disk: lines that start with `#` are comments, the rest is the libp2p PrivateKey
 * protobuf in base64 – what kubo keeps as Identity.PrivKey, so a key moves between the two.
 */
const HEADER = '# Kairos node key. Whoever reads it is this node: keep it secret, mode 0600.\n'

/**
 * Makes a new key and keeps it.
 *
 * @throws {CodedError} E_KEY_EXISTS: a key is never replaced
 */
export async function createNodeKey(file: string): Promise<Ed25519PrivateKey> {
  const key = await generateKeyPair('Ed25519')
  try {
    await writeFileDurable(file, formatNodeKey(key), { exclusive: true })
  } catch (error) {
    if ((error as { cause?: NodeJS.ErrnoException }).cause?.code !== 'EEXIST') throw error
    throw new CodedError('E_KEY_EXISTS', `there is a key already: ${file}`, {
      hint: 'use it, or choose another directory with --path',
    })
  }
  return guard(key)
}

/** @throws {CodedError} E_KEY_MISSING, E_KEY_INVALID, E_MODE_TOO_WIDE */
export async function loadNodeKey(file: string): Promise<Ed25519PrivateKey> {
  const text = await readSecretFile(file).catch((error: unknown) => {
    if (!isMissing((error as { cause?: unknown }).cause)) throw error
    throw new CodedError('E_KEY_MISSING', `no node key at ${file}`, { hint: 'kairos init makes one' })
  })
  return parseNodeKey(text, file)
}

/** The text of a key file: for `key export` and nothing else. */
export function formatNodeKey(key: Ed25519PrivateKey): string {
  return `${HEADER}${Buffer.from(privateKeyToProtobuf(key)).toString('base64')}\n`
}

/** @param origin - where the text is from, for the error */
export function parseNodeKey(text: string, origin: string): Ed25519PrivateKey {
  const body = text.split('\n').filter((line) => !line.startsWith('#'))
  const key = decode(body.join('').trim())
  if (key?.type !== 'Ed25519') {
    throw new CodedError('E_KEY_INVALID', `${origin} holds no ed25519 node key`, {
      hint: 'restore the file from a backup; a new key is a new node',
    })
  }
  return guard(key)
}

function decode(base64: string) {
  try {
    const bytes = Buffer.from(base64, 'base64')
    // Buffer skips what is not base64: only what encodes back to itself was written by us.
    return bytes.toString('base64') === base64 ? privateKeyFromProtobuf(bytes) : undefined
  } catch {
    return undefined
  }
}

/** Keeps the bytes out of logs: `console.log`, `inspect` and `JSON.stringify` show the public key only. */
function guard(key: Ed25519PrivateKey): Ed25519PrivateKey {
  const shown = () => `Ed25519PrivateKey(${key.publicKey.toString()})`
  Object.defineProperty(key, 'raw', { enumerable: false })
  Object.defineProperty(key, 'toJSON', { value: shown })
  Object.defineProperty(key, inspect.custom, { value: shown })
  return key
}
