import type { Command } from 'commander'
import type { PeerRow, PingRow, RemovalDocument } from '../../operations.ts'
import { EXIT } from '../../error-table.ts'
import { createClient } from '../client.ts'
import { removalText } from '../cell-text.ts'
import type { Io } from '../io.ts'
import { countArgument, defaultVerb, examples, type Register } from '../program.ts'
import { humanDuration, printable, table } from '../text.ts'

export const register: Register = (program, io) => {
  const peers = program.command('peers').description('connected and known members of the mesh')
  examples(peers, 'kairos peers', 'kairos peers ls --json')
  registerLs(peers, io)
  registerPing(peers, io)
  registerConnect(peers, io)
  registerRm(peers, io)
}

function registerLs(peers: Command, io: Io): void {
  const command = defaultVerb(peers, 'ls')
    .description('list them')
    .action(async () => {
      const document = await createClient(io).get<{ peers: PeerRow[] }>('/peers')
      await io.document(document, () => table(HEADER, document.peers.map(columns)))
    })
  examples(command, 'kairos peers ls')
}

function registerPing(peers: Command, io: Io): void {
  const command = peers
    .command('ping <peer>')
    .description('measure round trips to a member; exit code 2 when none came back')
    .option('-n, --count <n>', 'how many', countArgument(1), 4)
    .action(async (peer: string, { count }: { count: number }) => {
      let answered = 0
      for await (const row of createClient(io).rows<PingRow>('/peers/ping', { peer, count })) {
        if (row.roundTripMs !== null) answered++
        await io.row(row, () => pingText(row))
      }
      if (answered === 0) io.exitCode = EXIT.unreachable
    })
  examples(command, 'kairos peers ping 12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2 -n 2')
}

function registerConnect(peers: Command, io: Io): void {
  const command = peers
    .command('connect <address>')
    .description('connect to a member by its multiaddr')
    .action(async (address: string) => {
      const peer = await createClient(io).post<PeerRow>('/peers/connect', { address })
      await io.document(peer, () => table(HEADER, [columns(peer)]))
    })
  examples(command, 'kairos peers connect /ip4/127.0.0.1/tcp/18790')
}

function registerRm(peers: Command, io: Io): void {
  const command = peers
    .command('rm <peer>')
    .description('revoke the certificate of a node, for good: it is hung up on and let in no more; peer id or name')
    .option('--reason <text>', 'kept with the revocation')
    .action(async (peer: string, { reason }: { reason?: string }) => {
      const document = await createClient(io).post<RemovalDocument>('/peers/rm', { peer, reason })
      await io.document(document, () => removalText(document))
    })
  examples(command, 'kairos peers rm 12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2 --reason "disk stolen"')
}

const HEADER = ['PEER', 'NAME', 'ROLE', 'CELL', 'VERSION', 'LINK', 'RTT ms', 'SCORE', 'REPORT']

function columns(peer: PeerRow): string[] {
  const link = peer.connected ? `${peer.direction ?? ''}${peer.relayed ? ', relayed' : ''}` : 'not connected'
  return [
    peer.peerId,
    peer.name,
    peer.role ?? '-',
    peer.cell ?? '-',
    peer.version ?? '-',
    link,
    peer.roundTripMs?.toFixed(1) ?? '-',
    peer.score.toFixed(1),
    peer.reportAgeSeconds === null ? '-' : `${humanDuration(peer.reportAgeSeconds)} ago`,
  ]
}

function pingText({ peerId, sequence, roundTripMs, error }: PingRow): string {
  const result =
    roundTripMs === null ? `no answer: ${printable(error?.message ?? 'unknown')}` : `${roundTripMs.toFixed(2)} ms`
  return `${printable(peerId)} ${sequence}: ${result}`
}
