import type { Codec } from '../../protocols/shared/codec.ts'
import { get, type Tree } from './tree.ts'

/** @throws {CodedError} E_FRAME_SCHEMA or the like when the record is damaged */
export function readRecord<T>(tree: Tree, key: string, codec: Codec<T>): T | undefined {
  const bytes = get(tree, key)
  return bytes && codec.decode(bytes)
}
