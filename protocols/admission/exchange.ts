import type { PeerId } from '@libp2p/interface'
import { PeerRefused, type Line } from './line.ts'
import { REFUSALS, refuse } from './refusals.ts'
import { decodeTicket } from './ticket.ts'
import type { Admission, AdmissionHost, Hello } from './types.ts'

/**
 * The dialer's half: hello, the listener's hello, accepted. The last message needs no answer, so
 * muxer data may follow it in the same packet.
 */
export async function introduce(line: Line, host: AdmissionHost, remote: PeerId, hello: Hello): Promise<Admission> {
  await line.send({ hello })
  const answer = await receiveHello(line).catch((error: unknown) => {
    throw explained(error, hello)
  })
  if (answer.ticket !== undefined) throw refuse('E_ADMISSION_MALFORMED', 'a listener redeems no ticket')
  const admission = await line.until(host.admit(remote, answer))
  await line.send({ accepted: true })
  return admission
}

/** The listener's half. It says nothing of itself before the dialer has proven what it is. */
export async function receive(line: Line, host: AdmissionHost, remote: PeerId): Promise<Admission> {
  const hello = await receiveHello(line)
  if (hello.welcome !== undefined) throw refuse('E_ADMISSION_MALFORMED', 'a dialer welcomes nobody')
  const admission = await line.until(host.admit(remote, hello))
  const { ticket: _, ...own } = host.hello()
  await line.send({ hello: admission.welcome === undefined ? own : { ...own, welcome: admission.welcome } })
  if (!('accepted' in (await line.receive()))) throw refuse('E_ADMISSION_MALFORMED', 'a second hello')
  return admission
}

async function receiveHello(line: Line): Promise<Hello> {
  const message = await line.receive()
  if (!('hello' in message)) throw refuse('E_ADMISSION_MALFORMED', 'no hello')
  return message.hello
}

/** A ticket shown to the wrong node: the peer says only so, the ticket itself says where to go. */
function explained(error: unknown, hello: Hello): unknown {
  const wrongNode = error instanceof PeerRefused && error.code === 'E_TICKET_NOT_ISSUER'
  if (!wrongNode || hello.ticket === undefined) return error
  const { issuer, addresses } = decodeTicket(hello.ticket)
  const where = addresses.length === 0 ? '' : ` at ${addresses.join(', ')}`
  return new PeerRefused(error.code, `${REFUSALS.E_TICKET_NOT_ISSUER.message}: its issuer is ${issuer}${where}`)
}
