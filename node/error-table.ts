/** Exit codes of the command line; scripts may rely on them. */
export const EXIT = {
  ok: 0,
  error: 1,
  unreachable: 2,
  invalid: 3,
  refused: 4,
  unhealthy: 5,
  io: 6,
  timeout: 7,
  denied: 8,
  usage: 128,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
type Status = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 500 | 502 | 503 | 504 | 507

export interface ErrorKind {
  exit: ExitCode
  /** HTTP status with which the API answers. */
  status: Status
  meaning: string
}

const kind = (exit: ExitCode, usual: Status) => {
  return (meaning: string, status: Status = usual): ErrorKind => ({ exit, status, meaning })
}
const failed = kind(EXIT.error, 500)
const unreachable = kind(EXIT.unreachable, 502)
const invalid = kind(EXIT.invalid, 400)
const refused = kind(EXIT.refused, 409)
const unhealthy = kind(EXIT.unhealthy, 503)
const io = kind(EXIT.io, 500)
const late = kind(EXIT.timeout, 504)
const denied = kind(EXIT.denied, 403)

/** Every code of ours, by part of the program; a test keeps this table and the sources together. */
export const ERRORS: Readonly<Record<string, ErrorKind>> = {
  // The cell: consensus among the full nodes of one operator.
  E_NO_QUORUM: unhealthy('The cell has no leader that a majority follows; nothing was changed or read.'),
  E_OUTCOME_UNKNOWN: kind(EXIT.unhealthy, 504)('No answer in time: the command may or may not have been applied.'),
  E_CELL_BUSY: unhealthy('The cell has too many commands under way.'),
  E_CELL_NOT_LEADER: refused('Only the leader of the cell can do this.'),
  E_CELL_FULL: refused('The cell has as many members as it may.'),
  E_CELL_LOG_CORRUPT: io('The Raft log is damaged or half-written; the node does not vote and rejoins under a new id.'),
  E_CELL_LOG_FOREIGN: io('The Raft log is that of another mesh, node or cell.'),
  E_CELL_LOG_ORDER: failed('The engine handed the log what does not follow on it: a defect; nothing was written.'),
  E_CELL_STATE_CORRUPT: io('The stored state is damaged; it is rebuilt from the last snapshot and the log.'),
  E_CELL_BLOCK_CORRUPT: io('A snapshot block does not match its hash.'),
  E_CELL_BLOCK_MISSING: io('A block of a kept snapshot is not here.'),
  E_RAFT_MESSAGE: invalid('A message that no member sends that keeps the rules of Raft.'),
  E_RAFT_INPUT: failed('An input that the Raft engine does not take there: a defect.'),
  E_RAFT_DROPPED: unhealthy('Nobody can take a proposal now.'),
  E_RAFT_STRANGER: denied('The peer is not of this cell.'),
  E_RAFT_BUSY: unhealthy('The member answers as many requests or streams of this peer as it may.'),
  E_RAFT_PROTOCOL: invalid('A stream or answer breaks the protocol of the cell.'),
  E_RAFT_REPLACED: failed("A newer stream of the same member took this one's place."),
  E_RAFT_QUEUE_FULL: unhealthy('The member takes messages more slowly than they come; some were dropped.'),
  E_RAFT_WRONG_ID: invalid('A message for another raft id, or from one that was replaced; ignored.'),
  E_RAFT_BLOCK_MISSING: refused('The member does not have a block of the snapshot.', 404),
  E_RAFT_BLOCK_WRONG: invalid("A block's bytes do not match its CID, or it is no state block."),
  E_RAFT_SNAPSHOT_TOO_LARGE: refused('The snapshot has more blocks than a state may.', 413),
  E_TREE_ENTRY: invalid('A key or value of the state is out of bounds or out of order.'),
  E_TREE_BLOCK: invalid('A block of the state is damaged or not one that a state can have.'),
  E_TREE_TOO_LARGE: refused('A fetched state is over its limit.', 413),
  E_STATE_FORMAT: io('The stored state is not one, or of another format.'),
  E_STATE_ORDER: failed('An entry does not follow the last applied one: a defect; the node stops.'),
  E_STATE_DIVERGED: failed("This node's state differs from the cell's; the node stops."),
  E_STATE_FULL: refused('The state holds as many entries as it may.', 507),
  E_LABELS_FULL: refused('The member has as many labels as it may; drop one first.'),
  E_COMMAND_MALFORMED: invalid('An entry is no command of a version that is known.'),
  E_COMMAND_VERSION: failed('A command of a later release: this node stops until it is updated.'),
  E_COMMAND_STALE: refused('The command is too old to tell whether it was applied, or its session is forgotten.'),
  E_COMMAND_ID: invalid('Another command already has this number in its session.'),
  E_CERT_REVOKED: denied('The key was revoked: its certificate counts no more, and it gets no other.'),
  E_MEMBER_UNKNOWN: refused('No such member of the cell.', 404),
  E_MEMBER_REMOVED: refused('This incarnation of the member was removed; it joins only anew.'),
  E_MEMBER_LAST: refused('The last voter of a cell cannot leave it.'),

  // The program and its faces.
  E_INTERNAL: failed('A defect of kairos, or an error without a code.'),
  E_IO: io('A file, directory or stream could not be read or written.'),
  E_USAGE: { exit: EXIT.usage, status: 400, meaning: 'The command line is not one that kairos understands.' },
  E_INTERRUPTED: { exit: EXIT.interrupted, status: 503, meaning: 'Ctrl-C, before the work was done.' },
  E_TIMEOUT: late('The time given, or the limit of the operation, is over.'),
  E_ABORTED: failed('The operation was cancelled, usually because its caller has gone.', 503),
  E_STOPPING: unhealthy('The node is stopping, or a part of it is not running.'),
  E_NODE_NOT_RUNNING: unreachable('No node runs on this path.', 503),
  E_NODE_UNREACHABLE: unreachable('The address of the API does not answer.', 503),
  E_EXISTS: refused('There is something already where the command would write.'),
  E_INVALID_INPUT: invalid('A value is out of its range or does not go with the others.'),
  E_PATH_KIND: invalid('A path is neither a file nor a directory, or a directory without -r.'),
  E_NOT_A_NODE: invalid('What answers at the address is no Kairos API.'),

  // HTTP API.
  E_API_EXPOSED: invalid('The API would listen to other machines without TLS.'),
  E_PORT_TAKEN: failed('Another program listens on a port of this node.'),
  E_LISTEN: failed('The node cannot listen on an address that is configured.'),
  E_UNAUTHORIZED: denied('The request carries no token, or not one of this node.', 401),
  E_TOKEN_NEEDED: denied('The address is not that of the node on this path, whose token is for it alone.', 401),
  E_HOST_REFUSED: denied('The Host header names no name of this API (DNS rebinding).'),
  E_ORIGIN_REFUSED: denied('A page of another site sent the request (CSRF).'),
  E_NOT_IN_ROLE: refused('The role of this node does not do that.', 409),
  E_NO_ROUTE: refused('The API has nothing at this path.', 404),
  E_METHOD: refused('The path takes another HTTP method.', 405),
  E_CONTENT_TYPE: invalid('The body has a content type that the route does not take.', 415),
  E_BODY_TOO_LARGE: invalid('The body is over 1 MiB.', 413),
  E_JSON: invalid('The body is no JSON.'),
  E_PARAMETER: invalid('A parameter is missing, unknown, or has a wrong value.'),
  E_TAR: invalid('The archive is damaged, leads out of itself, or holds neither files nor directories.'),
  E_CLIENT_GONE: failed('The client hung up before the answer was done.', 503),

  // Configuration, files, database.
  E_CONFIG_INVALID: invalid('A value in the configuration is not allowed.'),
  E_CONFIG_UNKNOWN_KEY: invalid('The configuration has no such key; the nearest one is named.'),
  E_LOG_LEVEL: invalid('There is no such log level.'),
  E_MODE_TOO_WIDE: denied('Other users may read a key, a token or the directory of the node.'),
  E_LOCKED: refused('Another node runs on this path; its pid is named.'),
  E_KEY_EXISTS: refused('There is a key already; it is never replaced.'),
  E_KEY_MISSING: refused('There is no node key; `kairos init` makes one.', 404),
  E_KEY_INVALID: invalid('The key file holds no ed25519 key.'),
  E_DATA_VERSION: refused('The data were written by a newer release.'),
  E_DISK_FULL: io('No space is left on the disk.', 507),
  E_STORAGE_UNWRITABLE: io('A path cannot be written.'),
  E_STORAGE_IO: io('The disk reports an error.'),
  E_STORAGE_CORRUPT: io('Stored data do not match their checksum.'),
  E_STORAGE_CLOSED: io('The database is closed, because the node stops or its disk has failed.', 503),

  // Admission, tickets, membership.
  E_GENESIS_INVALID: invalid('The genesis document breaks a rule; the message says which.'),
  E_ALREADY_MEMBER: refused('The node belongs to a mesh already.'),
  E_NOT_FOUNDER: denied('The genesis does not list this node as a founder.'),
  E_MEMBERSHIP_MISSING: refused('This node belongs to no mesh yet.'),
  E_MEMBERSHIP_CORRUPT: invalid('The genesis or certificate file of this node cannot be read.'),
  E_MESH_MISMATCH: denied('The two nodes belong to different meshes.'),
  E_VERSION_UNSUPPORTED: denied('The two nodes speak versions that are too far apart.'),
  E_CERT_MISSING: denied('The node is neither a founder nor shows a certificate or ticket.'),
  E_CERT_EXPIRED: denied('A certificate in the chain has expired.'),
  E_CERT_SIGNATURE: denied('A certificate was altered or not signed by its issuer.'),
  E_CERT_DEPTH: denied('The certificate chain is longer than 4.'),
  E_CERT_CROSSES_CELLS: denied('A certificate is for a cell that its issuer may not issue for.'),
  E_CERT_NOT_FROM_GENESIS: denied('The certificate chain does not start at a founder.'),
  E_CERT_RIGHTS: denied('A certificate gives more than its issuer has.'),
  E_CERT_SUBJECT: denied('The certificate belongs to another key.'),
  E_KEY_WEAK: denied('The key is not a strictly valid ed25519 key.'),
  E_TICKET_USED: denied('The ticket has been used up.'),
  E_TICKET_EXPIRED: denied('The ticket has expired.'),
  E_TICKET_MESH: denied('The ticket is for another mesh.'),
  E_TICKET_ALTERED: invalid('The ticket is damaged or was altered.'),
  E_TICKET_RIGHTS: denied('The ticket gives more than its issuer has.'),
  E_TICKET_NOT_ISSUER: denied('Only the node that signed a ticket redeems it.'),
  E_NAME_TAKEN: refused('Another node of the mesh has the name under which this one would join.'),
  E_ISSUER_UNREACHABLE: unreachable('The node that issued the ticket does not answer.'),
  E_ADMISSION_TIMEOUT: late('The admission exchange took too long.'),
  E_ADMISSION_MALFORMED: denied('The other node does not speak the admission exchange.'),
  E_ADMISSION_UNAVAILABLE: unhealthy('The node cannot admit at the moment.'),

  // Peers and protocols.
  E_ADDRESS_INVALID: invalid('The address is no multiaddr of a node.'),
  E_DIAL_FAILED: unreachable('The peer does not answer at any of its addresses.'),
  E_PEER_BANNED: denied('The peer misbehaved and is shut out for a while.'),
  E_PEER_ID_INVALID: invalid('The text is no peer id.'),
  E_PEER_UNREACHABLE: unreachable('The peer is not connected and cannot be dialled.'),
  E_HANDSHAKE_CROWDED: denied('Too many handshakes from one address range are under way.'),
  E_STREAM_ABANDONED: failed('The other side closed a stream before the exchange was done.', 502),
  E_STATUS_ROLE: denied('The peer claims a role that its certificate does not give.'),
  E_STATUS_CELL: denied('The peer claims a cell that its certificate does not give.'),
  E_STATUS_FAILED: denied('The status exchange was not completed.'),
  E_STREAM_CLOSED: failed('The other side closed a stream while something was sent.', 502),
  E_QUERY_BUSY: unhealthy('The peer answers as many queries as it may at once.'),
  E_QUERY_PROTOCOL: invalid('The answer to a query breaks the protocol.'),
  E_QUERY_TOO_LONG: invalid('The answer to a query is over its limit.'),
  E_QUERY_UNKNOWN: invalid('The peer does not know what it was asked.'),
  E_QUERY_UNSUPPORTED: unreachable('The peer does not speak the query protocol.'),
  E_FRAME_MALFORMED: invalid('A message of a peer cannot be decoded.'),
  E_FRAME_SCHEMA: invalid('A message of a peer has the wrong shape.'),
  E_FRAME_TOO_LARGE: invalid('A message of a peer is over its limit.'),
  E_FRAME_TRUNCATED: invalid('A message of a peer ends too early.'),
  E_GOSSIP_BUDGET: refused('An author publishes more than its budget.'),
  E_GOSSIP_FLOOD: refused('An author publishes far more than its budget.'),
  E_GOSSIP_FUTURE: refused('A message is numbered by a clock far ahead of ours.'),
  E_GOSSIP_REPLAY: refused('A message was seen before.'),
  E_GOSSIP_SELF: refused('A message claims to be by this node.'),
  E_GOSSIP_TOPIC: invalid('The topic is none of this mesh.'),
  E_DHT_BATCH: failed('A batch of DHT records, which are put singly.'),
  E_DHT_NAMESPACE: refused('The DHT keeps no record of this kind.'),
  E_DHT_STALE_RECORD: refused('A newer DHT record is stored.'),
  E_REPORT_AUTHOR: invalid('A phase report has no valid author.'),
  E_REPORT_TIME: refused('A report from another time than ours: a replay, or a clock that is wrong.'),
  E_REPORT_MESH: invalid('A phase report is for another mesh.'),
  E_REPORT_STRANGER: refused('Too many reports by authors whose certificates are not known yet.'),
  E_REPORT_RANGE: invalid('A weight or value of a phase report is out of range.'),
  E_REPORT_SIGNATURE: invalid('A phase report is not signed by its author.'),

  // Coherence and its input.
  E_SIGNAL_CONFIG: invalid('The keys of `signal` do not go together.'),
  E_TRANSDUCER_CONFIG: invalid('A value of a transducer is out of range.'),
  E_WINDOW_TOO_SHORT: invalid('The window holds too few independent samples for a decision.'),
  E_WINDOW_UNDER_CYCLE: invalid('Raw samples need a window of at least one cycle.'),
  E_QUANTISE_RANGE: invalid('A value outside [-1, 1] has no Q1.30 form.'),
  E_KERNEL_LENGTH: invalid('An array is shorter than a kernel was asked to work on.'),
  E_KERNEL_RANGE: invalid('A parameter of a kernel is out of range.'),
  E_KERNEL_ARRAY: invalid('An array is freed, of other kernels, of another type, or given twice.'),
  E_KERNEL_MEMORY: failed('There is no memory for the arrays of a kernel.', 507),
  E_INPUT_COLUMN: invalid('The recording has no such column.'),
  E_INPUT_EMPTY: invalid('The recording holds no or too few readings.'),
  E_INPUT_LINE: invalid('A line of the recording is too long.'),
  E_INPUT_NUMBER: invalid('A value of the recording is no finite number.'),
  E_INPUT_SYNTAX: invalid('A line of the recording is neither CSV nor NDJSON.'),
  E_INPUT_TIME: invalid('Time goes backward in the recording.'),
  E_INPUT_UNREADABLE: io('The recording cannot be read.'),

  // Content.
  E_CID_INVALID: invalid('The text is no CID.'),
  E_PATH_NOT_FOUND: refused('A directory has no entry of this name.', 404),
  E_PATH_UNSAFE: invalid('A name would lead out of its directory.'),
  E_NAME_MISSING: invalid('An entry of a directory needs a name.'),
  E_IS_DIRECTORY: invalid('The CID names a directory, not a file.'),
  E_NOT_UNIXFS: invalid('The CID names neither a file nor a directory.'),
  E_CONTENT_NOT_FOUND: refused('No connected peer has the content.', 404),
  E_CONTENT_MALFORMED: invalid('A block of the content cannot be decoded.'),
  E_BLOCK_CORRUPT: io('A stored block was damaged.'),
  E_BLOCK_TOO_LARGE: invalid('A block is over the limit of 2 MiB.', 413),
  E_HASH_UNSUPPORTED: invalid('The CID uses a hash that this node does not know.'),
  E_QUOTA: io('The block store is full.', 507),

  // The local mesh.
  E_LOCAL_MESH: failed('A node of the local mesh did not start or has died.'),
}
