import type { Command } from 'commander'
import type { Io } from '../io.ts'
import { examples, type Register } from '../program.ts'
import { list } from '../text.ts'

export const register: Register = (program, io) => {
  const key = program.command('key').description('the key that this node is')
  examples(key, 'kairos key show')
  registerShow(key, io)
  registerExport(key, io)
}

function registerShow(key: Command, io: Io): void {
  const command = key
    .command('show')
    .description('its public part')
    .action(async () => {
      const { key, file } = await ownKey(io)
      const publicKey = Buffer.from(key.publicKey.raw).toString('hex')
      await io.document({ peerId: key.publicKey.toString(), type: key.type, publicKey, file }, () =>
        list([
          ['peer', key.publicKey.toString()],
          ['type', key.type],
          ['public', publicKey],
          ['file', file],
        ]),
      )
    })
  examples(command, 'kairos key show', 'kairos key show --json')
}

function registerExport(key: Command, io: Io): void {
  const command = key
    .command('export')
    .description('the secret key itself, for a backup: whoever reads it is this node')
    .option('-o, --output <file>', 'write a new file (0600) in place of stdout')
    .action(async ({ output }: { output?: string }) => {
      const { formatNodeKey } = await import('../../storage/key-file.ts')
      const text = formatNodeKey((await ownKey(io)).key)
      if (output === undefined) return io.document({ key: text }, () => text)
      const { writeFile } = await import('node:fs/promises')
      await writeFile(output, text, { mode: 0o600, flag: 'wx' })
      io.note(`wrote ${output}: keep it secret`)
    })
  examples(command, 'kairos key export -o node-key.backup')
}

async function ownKey({ flags, env }: Io) {
  const { resolvePaths } = await import('../../config/paths.ts')
  const { loadNodeKey } = await import('../../storage/key-file.ts')
  const { key: file } = resolvePaths({ path: flags.path, env })
  return { key: await loadNodeKey(file), file }
}
