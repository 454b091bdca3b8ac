import type { Io } from '../io.ts'
import { examples, type Register } from '../program.ts'
import { profileOption, profileSettings, type ProfileFlags } from '../profiles.ts'
import { list } from '../text.ts'

interface Flags extends ProfileFlags {
  name?: string
  at?: string[]
}

export const register: Register = (program, io) => {
  const command = program
    .command('join <ticket>')
    .description(
      'trade a ticket for membership of a mesh; the node that signed it must be running, or --at another of its cell',
    )
    .option('--name <name>', 'name of this node; by default the machine’s')
    .option('--listen <address...>', 'multiaddrs to listen on')
    .option('--at <address...>', 'multiaddrs, with /p2p/, of full nodes of the cell that may invite as its signer may')
    .addOption(profileOption())
    .action((ticket: string, flags: Flags) => join(io, ticket, flags))
  examples(command, 'kairos join kairos1…', 'kairos join kairos1… --at /ip4/192.0.2.7/tcp/18789/p2p/12D3KooW…')
}

async function join(io: Io, ticket: string, flags: Flags): Promise<void> {
  const [{ meshIdOf, parseTicket }, { readPeerAddress }, { redeemTicket }, { writeMembership }, setup] =
    await Promise.all([
      import('../../../protocols/admission/index.ts'),
      import('../../network/read-address.ts'),
      import('../../network/join.ts'),
      import('../../network/membership-files.ts'),
      import('../setup.ts'),
    ])
  const { mesh, role, cell } = parseTicket(ticket)
  const at = (flags.at ?? []).map(readPeerAddress)
  await setup.atWorkplace(io, async (place) => {
    await setup.requireFree(place, (files) => meshIdOf(files.genesis) === mesh)
    const wanted = { ...profileSettings(flags), name: flags.name, 'node.role': role, 'node.cell': cell }
    const { config, changes } = await setup.planConfig(place, wanted)
    const { key, peerId } = await setup.ensureKey(place)
    const { name } = config
    const { transport } = config.security
    const joined = await redeemTicket({ privateKey: key, name, ticket, transport, at, signal: io.signal })
    const { genesis, chain } = joined
    const bootstrap = [...new Set([...config.network.bootstrap, ...joined.bootstrap])]
    // The configuration first: membership is what says that the joining is done.
    await setup.writeConfig(place, { ...changes, 'network.bootstrap': bootstrap.join(',') })
    await writeMembership(place.paths, { genesis, chain })
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
