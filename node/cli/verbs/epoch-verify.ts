import { open } from 'node:fs/promises'
import type { Command } from 'commander'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { verifiedText } from '../epoch-verify-text.ts'
import type { Io } from '../io.ts'
import { examples } from '../program.ts'

interface Flags {
  readonly genesis?: string
  readonly checkpoint?: string
}

const MESH = 'bafyreibktxmqsilj77dmhxsyuwoipknvlebezzrgwysixtpkpa3qyj2vtq'

/** Adds `verify FILE` to the verb `epoch`: offline, no node need run. */
export function registerVerify(epoch: Command, io: Io): void {
  const command = epoch
    .command('verify <file>')
    .description('whether an exported epoch is what it says, by its signatures alone; no node need run')
    .option('--genesis <file>', 'the genesis of the mesh, or its mesh id; that of the node here unless told')
    .option('--checkpoint <height:cid>', 'a recent epoch that somebody you trust vouches for; trust begins there')
    .action(async (file: string, flags: Flags) => {
      const { verifyEpochFile } = await import('../../epoch-file.ts')
      const verified = verifyEpochFile(await readBounded(file, 'name what `kairos epoch export` wrote'), {
        ...(await trustOf(io, flags)),
        now: Date.now(),
      })
      await io.document(verified, () => verifiedText(verified))
    })
  examples(
    command,
    'kairos epoch verify epoch-7.kairos',
    'kairos epoch verify epoch-7.kairos --genesis genesis.json --json',
    `kairos epoch verify epoch-7.kairos --checkpoint 5:${MESH}`,
  )
}

/** What the user says; without a word of his, the mesh of the node that is set up here. */
async function trustOf(io: Io, { genesis, checkpoint }: Flags) {
  const { parseCheckpoint, parseCid } = await import('../../../consensus/light/index.ts')
  const { meshIdOf, parseGenesis } = await import('../../../protocols/admission/index.ts')
  if (genesis !== undefined) {
    const text = async () =>
      Buffer.from(await readBounded(genesis, 'name the genesis of the mesh, or give its id')).toString()
    const mesh = parseCid(genesis) ?? parseCid(meshIdOf(parseGenesis(await text())))
    return { mesh, checkpoint: checkpoint === undefined ? undefined : parseCheckpoint(checkpoint) }
  }
  if (checkpoint !== undefined) return { mesh: undefined, checkpoint: parseCheckpoint(checkpoint) }
  const { readMembership } = await import('../../network/membership-files.ts')
  const { resolvePaths } = await import('../../config/paths.ts')
  const own = await readMembership(resolvePaths({ path: io.flags.path, env: io.env }))
  return { mesh: own && parseCid(meshIdOf(own.genesis)), checkpoint: undefined }
}

/** One byte more than a file may have is enough to refuse it. */
async function readBounded(file: string, hint: string): Promise<Uint8Array> {
  const { MAX_EXPORT_BYTES } = await import('../../../consensus/light/index.ts')
  const handle = await open(file)
  try {
    if (!(await handle.stat()).isFile()) {
      throw new CodedError('E_LIGHT_FILE', `${file} is no file`, { hint })
    }
    const bytes = new Uint8Array(Math.min((await handle.stat()).size, MAX_EXPORT_BYTES + 1))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
