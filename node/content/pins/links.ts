import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { CodedError, messageOf } from '../../../protocols/shared/errors.ts'
import { MAX_BLOCK_LINKS, MAX_DIGEST_BYTES } from './constants.ts'
import { nameOf } from './ledger.ts'
import { asV1 } from './records.ts'

const IDENTITY = 0
const CBOR = 0x51
const DAG_JSON = 0x0129
const JSON_CODE = 0x0200

type LinksOf = (bytes: Uint8Array) => CID[]

const none: LinksOf = () => []
const CODECS: ReadonlyMap<number, LinksOf> = new Map([
  [raw.code, none],
  [CBOR, none],
  [JSON_CODE, none],
  [dagPb.code, (bytes) => dagPb.decode(bytes).Links.map((link) => link.Hash)],
  [dagCbor.code, (bytes) => linksIn(dagCbor.decode(bytes), CID.asCID)],
  [DAG_JSON, (bytes) => linksIn(JSON.parse(new TextDecoder().decode(bytes)), dagJsonLink)],
])

/** Whether a block of this codec has links at all. */
export function isLeaf(cid: CID): boolean {
  return CODECS.get(cid.code) === none
}

/** @throws {CodedError} E_CODEC_UNSUPPORTED, E_HASH_UNSUPPORTED: what need not be fetched to be refused */
export function checkWalkable(cid: CID): void {
  if (!CODECS.has(cid.code)) {
    throw new CodedError('E_CODEC_UNSUPPORTED', `${cid} has codec 0x${cid.code.toString(16)}, its links are unknown`, {
      hint: 'pin it with --mode direct, without what it links to',
    })
  }
  checkDigest(cid)
}

/** @throws {CodedError} E_HASH_UNSUPPORTED for a root that cannot be a row */
export function checkRoot(cid: CID): void {
  if (!isInline(cid)) return checkDigest(cid)
  throw new CodedError('E_HASH_UNSUPPORTED', `${cid} holds its content itself: there is no block to pin`, {
    hint: 'pin what it links to',
  })
}

function checkDigest(cid: CID): void {
  if (cid.multihash.size <= MAX_DIGEST_BYTES || isInline(cid)) return
  throw new CodedError('E_HASH_UNSUPPORTED', `a CID has a digest of ${cid.multihash.size} bytes`, {
    hint: `digests of up to ${MAX_DIGEST_BYTES} bytes are stored`,
  })
}

function isInline(cid: CID): boolean {
  return cid.multihash.code === IDENTITY
}

/**
 * The blocks that a block links to, each once, in order, as CIDs of version 1. Links of a block that
 * is inline in a link are links of this block.
 *
 * @throws {CodedError} E_CONTENT_MALFORMED, E_DAG_TOO_LARGE, E_CODEC_UNSUPPORTED, E_HASH_UNSUPPORTED
 */
export function linksOf(cid: CID, bytes: Uint8Array): CID[] {
  const found = new Map<string, CID>()
  const blocks = [{ cid, bytes }]
  let links = 0
  for (let block = blocks.pop(); block !== undefined; block = blocks.pop()) {
    for (const link of decodeLinks(block.cid, block.bytes)) {
      if (++links > MAX_BLOCK_LINKS) throw tooWide(cid)
      checkWalkable(link)
      if (isInline(link)) blocks.push({ cid: link, bytes: link.multihash.digest })
      else found.set(nameOf(asV1(link).bytes), asV1(link))
    }
  }
  return [...found.values()]
}

/** Bytes below and with a root, as it states them; null where it does not, or not all. */
export function statedBytes(cid: CID, bytes: Uint8Array): number | null {
  if (isLeaf(cid)) return bytes.byteLength
  if (cid.code !== dagPb.code) return null
  const sizes = dagPb.decode(bytes).Links.map((link) => link.Tsize ?? Number.NaN)
  const total = sizes.reduce((sum, size) => sum + size, bytes.byteLength)
  return Number.isSafeInteger(total) ? total : null
}

function decodeLinks(cid: CID, bytes: Uint8Array): CID[] {
  checkWalkable(cid)
  try {
    return CODECS.get(cid.code)!(bytes)
  } catch (cause) {
    throw new CodedError('E_CONTENT_MALFORMED', `block ${cid} cannot be decoded: ${messageOf(cause)}`, { cause })
  }
}

/** Every link in a value; by a stack of our own, since an author may nest more deeply than ours goes. */
function linksIn(value: unknown, asLink: (value: object) => CID | null | undefined): CID[] {
  const links: CID[] = []
  const waiting = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null || next instanceof Uint8Array) continue
    const link = asLink(next)
    if (link !== null && link !== undefined) links.push(link)
    else for (const child of Object.values(next).toReversed()) waiting.push(child)
  }
  return links
}

/** `{"/": "CID"}` (IPLD, DAG-JSON); `{"/": {"bytes": …}}` is bytes. */
function dagJsonLink(value: object): CID | undefined {
  const slash: unknown = '/' in value && Object.keys(value).length === 1 ? value['/'] : undefined
  return typeof slash === 'string' ? CID.parse(slash) : undefined
}

function tooWide(cid: CID): CodedError {
  return new CodedError('E_DAG_TOO_LARGE', `block ${cid} has more than ${MAX_BLOCK_LINKS} links`, {
    hint: 'pin it with --mode direct, without what it links to',
  })
}
