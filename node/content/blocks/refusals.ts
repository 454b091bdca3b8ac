import type { CID } from 'multiformats/cid'
import { CodedError } from '../../../protocols/shared/errors.ts'

export function tooLarge(cid: CID, bytes: number, maxBytes: number): CodedError {
  return new CodedError('E_BLOCK_TOO_LARGE', `block ${cid} has ${bytes} bytes, the limit is ${maxBytes}`, {
    hint: 'add the content as a file: it is cut into blocks of 1 MiB',
  })
}

export function overQuota(used: number, quota: number): CodedError {
  return new CodedError('E_QUOTA', `the block store is full: ${used} of ${quota} bytes are used`, {
    hint: 'raise content.quota_bytes in the configuration, or free space with `kairos repo gc`',
  })
}

export function absent(cid: CID): CodedError {
  return notFound('E_CONTENT_NOT_FOUND', `block ${cid} is not stored here`)
}

export function damaged(cid: CID): CodedError {
  return notFound('E_BLOCK_CORRUPT', `the stored block ${cid} was damaged and has been removed`)
}

function notFound(code: string, message: string): CodedError {
  const error = new CodedError(code, message, { hint: 'it is fetched from a peer that holds it; else add it again' })
  // What bitswap takes for "do not have"; any other error leaves the whole batch of a peer unsent.
  error.name = 'NotFoundError'
  return error
}
