import type { Command } from 'commander'
import type { GcRow, RepoStatDocument, VerifyRow } from '../../operations.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'
import { examples, type Register } from '../program.ts'
import { percent } from '../progress.ts'
import { showGc, showVerify } from '../repo-rows.ts'
import { humanSize, list } from '../text.ts'

export const register: Register = (program, io) => {
  const repo = program.command('repo').description('the block store of this node')
  examples(repo, 'kairos repo stat')
  registerStat(repo, io)
  registerGc(repo, io)
  registerVerify(repo, io)
}

function registerStat(repo: Command, io: Io): void {
  const command = repo
    .command('stat')
    .description('what it holds, and may hold')
    .action(async () => {
      const document = await createClient(io).get<RepoStatDocument>('/repo')
      await io.document(document, () => statText(document))
    })
  examples(command, 'kairos repo stat', 'kairos repo stat --json')
}

function registerGc(repo: Command, io: Io): void {
  const command = repo
    .command('gc')
    .description('remove the blocks that nothing holds; reads and writes go on meanwhile')
    .action(() => showGc(io, createClient(io).postRows<GcRow>('/repo/gc')))
  examples(command, 'kairos repo gc')
}

function registerVerify(repo: Command, io: Io): void {
  const command = repo
    .command('verify')
    .description('check every block against its hash; exit code 5 when one is damaged')
    .option('--repair', 'fetch what is damaged from other copies')
    .action(({ repair }: { repair?: true }) =>
      showVerify(io, createClient(io).postRows<VerifyRow>('/repo/verify', { repair })),
    )
  examples(command, 'kairos repo verify --repair')
}

function statText({ blocks, usedBytes, quotaBytes, freeBytes, pins, path }: RepoStatDocument): string {
  return list([
    ['blocks', String(blocks)],
    ['used', [`${humanSize(usedBytes)} of ${humanSize(quotaBytes)}`, percent(usedBytes, quotaBytes)].join(', ')],
    ['free for pins', `${humanSize(freeBytes)}, with what gc would free`],
    ['pins', `${pins.pinned} pinned, ${pins.pinning} on the way, ${pins.failed} failed`],
    ['path', path],
  ])
}
