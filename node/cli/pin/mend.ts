import type { Command } from 'commander'
import type { Named, RepairPlanDocument, VerifyRow } from '../../operations.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'
import { planText } from '../pin-text.ts'
import { examples } from '../program.ts'
import { showVerify } from '../repo-rows.ts'

const CID = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'

export function registerRecover(pin: Command, io: Io): void {
  const command = pin
    .command('recover [cid]')
    .description('try again at once what failed, of one pin or of all')
    .option('--local', 'at this node alone')
    .action(async (path: string | undefined, { local }: { local?: true }) => {
      const document = await createClient(io).post<{ recovered: number }>('/pins/recover', { path, local })
      const { recovered } = document
      await io.document(document, () => `${recovered} ${recovered === 1 ? 'is' : 'are'} tried again`)
    })
  examples(command, 'kairos pin recover', `kairos pin recover ${CID} --local`)
}

export function registerVerify(pin: Command, io: Io): void {
  const command = pin
    .command('verify <cid>')
    .description('read every block of a pin here and check its hash; exit code 5 when one is damaged or missing')
    .option('--repair', 'fetch those from other copies')
    .action((path: string, { repair }: { repair?: true }) =>
      showVerify(io, createClient(io).postRows<VerifyRow>('/pins/verify', { path, repair })),
    )
  examples(command, `kairos pin verify ${CID} --repair`)
}

export function registerPlan(pin: Command, io: Io): void {
  const command = pin
    .command('plan')
    .description('what repair and rebalance would move now, and why; nothing is changed')
    .action(async () => {
      const document = await createClient(io).get<RepairPlanDocument & Named>('/pins/plan')
      await io.document(document, () => planText(document))
    })
  examples(command, 'kairos pin plan', 'kairos pin plan --json')
}
