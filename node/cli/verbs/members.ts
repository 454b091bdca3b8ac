import { InvalidArgumentError, type Command } from 'commander'
import type { CellMemberRow, DrainDocument, LabelDocument, RemovalDocument } from '../../operations.ts'
import { drainText, membersText, removalText } from '../cell-text.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'
import { defaultVerb, examples, type Register } from '../program.ts'
import { printable } from '../text.ts'

const PEER = '12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2'

export const register: Register = (program, io) => {
  const members = program.command('members').description('the members of this node’s cell')
  examples(members, 'kairos members', 'kairos members ls --stale --json')
  registerLs(members, io)
  registerRm(members, io)
  registerLabel(members, io)
  registerDrain(members, io)
  registerUndrain(members, io)
}

function registerLs(members: Command, io: Io): void {
  const command = defaultVerb(members, 'ls')
    .description('list them, as a majority agrees now; exit code 5 when there is no quorum')
    .option('--stale', 'as this node has them, which also works without a quorum')
    .action(async ({ stale }: { stale?: true }) => {
      const document = await createClient(io).get<{ members: CellMemberRow[] }>('/members', { stale })
      await io.document(document, () => membersText(document.members))
    })
  examples(command, 'kairos members ls', 'kairos members ls --stale')
}

function registerRm(members: Command, io: Io): void {
  const command = members
    .command('rm <peer>')
    .description('take a member’s vote and revoke its certificate, for good; peer id or name')
    .option('--reason <text>', 'kept with the removal')
    .action(async (peer: string, { reason }: { reason?: string }) => {
      const document = await createClient(io).post<RemovalDocument>('/members/rm', { peer, reason })
      await io.document(document, () => removalText(document))
    })
  examples(command, `kairos members rm ${PEER}`, 'kairos members rm alpha-2 --reason "disk stolen"')
}

function registerDrain(members: Command, io: Io): void {
  const command = members
    .command('drain <peer>')
    .description('give a member no more copies and move those that it has elsewhere; peer id or name')
    .action(async (peer: string) => {
      const document = await createClient(io).post<DrainDocument>('/members/drain', { peer })
      await io.document(document, () => drainText(document))
    })
  examples(command, 'kairos members drain alpha-2')
}

function registerUndrain(members: Command, io: Io): void {
  const command = members
    .command('undrain <peer>')
    .description('take draining back; peer id or name')
    .action(async (peer: string) => {
      const document = await createClient(io).post<DrainDocument>('/members/undrain', { peer })
      await io.document(document, () => drainText(document))
    })
  examples(command, 'kairos members undrain alpha-2')
}

function registerLabel(members: Command, io: Io): void {
  const command = members
    .command('label <peer> <label>')
    .description('set a label of a member (KEY=VALUE) or drop it (KEY=); peer id or name')
    .action(async (peer: string, label: string) => {
      const document = await createClient(io).post<LabelDocument>('/members/label', { peer, ...labelOf(label) })
      const { key, value, name } = document
      await io.document(document, () => printable(`${name}: ${value === null ? `${key} dropped` : `${key}=${value}`}`))
    })
  examples(command, 'kairos members label alpha-2 rack=r12', 'kairos members label alpha-2 rack=')
}

function labelOf(text: string): { key: string; value: string | null } {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Give KEY=VALUE, or KEY= to drop it.')
  return { key: text.slice(0, at), value: text.slice(at + 1) || null }
}
