import type { Io } from '../io.ts'
import { examples, type Register } from '../program.ts'
import { list } from '../text.ts'

interface Flags {
  name?: string
  listen?: string[]
}

export const register: Register = (program, io) => {
  const command = program
    .command('join <ticket>')
    .description('trade a ticket for membership of a mesh; the node that signed it must be running')
    .option('--name <name>', 'name of this node; by default the machine’s')
    .option('--listen <address...>', 'multiaddrs to listen on')
    .action((ticket: string, flags: Flags) => join(io, ticket, flags))
  examples(command, 'kairos join kairos1…')
}

async function join(io: Io, ticket: string, flags: Flags): Promise<void> {
  const [{ meshIdOf, parseTicket }, { redeemTicket }, { writeMembership }, setup] = await Promise.all([
    import('../../../protocols/admission/index.ts'),
    import('../../network/join.ts'),
    import('../../network/membership-files.ts'),
    import('../setup.ts'),
  ])
  const { mesh, role, cell } = parseTicket(ticket)
  await setup.atWorkplace(io, async ({ paths, key, peerId, isNew }) => {
    await setup.requireFree(paths, (files) => meshIdOf(files.genesis) === mesh)
    const { name, security, network } = await setup.changeConfig(paths, {
      name: flags.name ?? (isNew ? setup.defaultName() : undefined),
      'network.listen': flags.listen?.join(','),
    })
    const { transport } = security
    const joined = await redeemTicket({ privateKey: key, name, ticket, transport, signal: io.signal })
    const { genesis, chain, bootstrap } = joined
    // The configuration first: membership is what says that the joining is done.
    await setup.changeConfig(paths, {
      'node.role': role,
      'node.cell': cell,
      'network.bootstrap': [...new Set([...network.bootstrap, ...bootstrap])].join(','),
    })
    await writeMembership(paths, { genesis, chain })
    const document = { peerId, name, role, cell, meshId: mesh, meshName: genesis.name }
    await io.document(document, () =>
      list([
        ['mesh', `${genesis.name} ${mesh}`],
        ['node', `${name}, ${role} of cell ${cell}`],
        ['peer', peerId],
      ]),
    )
    io.note('next: kairos run')
  })
}
