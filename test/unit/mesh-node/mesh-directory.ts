import { hash } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import type { AfterEpoch } from '../../../node/mesh/chain.ts'
import type { StoredEpoch } from '../../../node/mesh/chain-head.ts'
import { openMeshStores, type MeshStores, type MeshStoresInit } from '../../../node/mesh/open.ts'
import { seal, unseal } from '../../../node/storage/checksum.ts'
import type { CodedError } from '../../../protocols/shared/errors.ts'

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** A CID of dag-cbor and sha2-256, as a header has. */
export function valueOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.from([1, 0x71, 0x12, 32]), hash('sha256', text, 'buffer')]))
}

export function epochOf(height: number): StoredEpoch {
  return {
    value: valueOf(`${height}`),
    block: bytes(`block ${height}`),
    certificate: bytes(`extended certificate ${height}`),
  }
}

/** As it is kept when the next one is there. */
export function trimmed(height: number): StoredEpoch {
  return { ...epochOf(height), certificate: bytes(`certificate ${height}`) }
}

export function after(height: number): AfterEpoch {
  return { state: bytes(`state ${height}`), sets: [] }
}

/** The directory `mesh` of a node, and what its stores reported. */
export class MeshDirectory {
  root = ''
  readonly fatal: CodedError[] = []

  async make(): Promise<void> {
    this.root = await mkdtemp(join(tmpdir(), 'kairos-mesh-'))
    this.fatal.length = 0
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true })
  }

  get path(): string {
    return join(this.root, 'mesh')
  }

  open(options: Partial<MeshStoresInit> = {}): Promise<MeshStores> {
    return openMeshStores({
      directory: this.path,
      meshId: 'mesh-1',
      peerId: 'peer-1',
      keep: 0,
      trim: (certificate) => bytes(Buffer.from(certificate).toString().replace('extended ', '')),
      isValidator: true,
      firstVote: async () => 0,
      onFatal: (error) => this.fatal.push(error),
      ...options,
    })
  }

  async using<T>(use: (stores: MeshStores) => Promise<T>, options: Partial<MeshStoresInit> = {}): Promise<T> {
    const stores = await this.open(options)
    try {
      return await use(stores)
    } finally {
      await stores.close()
    }
  }

  /** Commits the epochs of these heights. */
  async fill(from: number, to: number, options: Partial<MeshStoresInit> = {}): Promise<void> {
    await this.using(async ({ chain }) => {
      for (let height = from; height <= to; height++) {
        await chain.commit(height, epochOf(height), after(height))
      }
    }, options)
  }

  /** What a crash at this moment would leave: the files as they are, with the stores open. */
  async copy(name: string): Promise<string> {
    const directory = join(this.root, name)
    await cp(this.path, directory, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
    return directory
  }

  /** The database as LevelDB has it, past our checks. */
  async raw<T>(name: 'wal' | 'chain', use: (level: ClassicLevel<Buffer, Buffer>) => Promise<T>): Promise<T> {
    const options = { keyEncoding: 'buffer', valueEncoding: 'buffer' }
    const level = new ClassicLevel<Buffer, Buffer>(join(this.path, name), options)
    try {
      return await use(level)
    } finally {
      await level.close()
    }
  }

  /** Rows that a store of the mesh wrote, by their whole keys. */
  rows(name: 'wal' | 'chain'): Promise<[key: Buffer, value: Buffer][]> {
    return this.raw(name, async (level) => {
      const all = await level.iterator().all()
      return all.filter(([key]) => key.toString('latin1').startsWith('!mesh-'))
    })
  }

  /** Changes a row and gives it the checksum that fits. */
  reseal(name: 'wal' | 'chain', key: Buffer, change: (value: Buffer) => Uint8Array): Promise<void> {
    const own = key.subarray(key.indexOf(33, 1) + 1)
    return this.raw(name, async (level) => {
      const value = Buffer.from(unseal(own, (await level.get(key))!))
      await level.put(key, Buffer.from(seal(own, change(value))))
    })
  }
}
