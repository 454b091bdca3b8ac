import type { NodeDocument } from '../../operations.ts'
import { createClient } from '../client.ts'
import { examples, type Register } from '../program.ts'
import { list } from '../text.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('id')
    .description('who this node is')
    .action(async () => {
      const node = await createClient(io).get<NodeDocument>('/id')
      await io.document(node, () => describe(node))
    })
  examples(command, 'kairos id', 'kairos id --json')
}

function describe(node: NodeDocument): string {
  return list([
    ['peer', node.peerId],
    ['name', node.name],
    ['role', node.role],
    ['cell', node.cell],
    ['rights', node.rights.join(', ') || 'none'],
    ['mesh', node.meshId],
    ['addresses', node.addresses[0] ?? 'none'],
    ...node.addresses.slice(1).map((address): [string, string] => ['', address]),
  ])
}
