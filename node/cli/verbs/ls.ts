import type { LsRow } from '../../operations.ts'
import { createClient } from '../client.ts'
import { examples, type Register } from '../program.ts'
import { humanSize, printable } from '../text.ts'

const SIZE_WIDTH = 9

export const register: Register = (program, io) => {
  const command = program
    .command('ls <cid>')
    .description('what a directory holds; CID or CID/path')
    .action(async (path: string) => {
      for await (const row of createClient(io).rows<LsRow>('/ls', { path })) await io.row(row, () => describe(row))
    })
  examples(command, 'kairos ls bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
}

function describe({ cid, type, size, name }: LsRow): string {
  const shown = type === 'directory' ? '-' : humanSize(size)
  return `${cid}  ${shown.padStart(SIZE_WIDTH)}  ${printable(name)}${type === 'directory' ? '/' : ''}`
}
