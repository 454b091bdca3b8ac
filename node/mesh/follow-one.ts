import { CodedError } from '../../protocols/shared/errors.ts'
import type { SyncEpoch } from '../../protocols/sync/index.ts'
import { delay, type FollowPeers, type Source } from './follow-peers.ts'
import type { FollowInit, FollowOptions } from './follow-types.ts'

/** Others asked, each time, whether the one that is followed keeps up. */
const ASKED_AT_CHECK = 2

export interface FollowOneInit extends Pick<FollowInit, 'client' | 'chain' | 'verify' | 'take' | 'isValidator'> {
  peers: FollowPeers
  source: Source
  options: FollowOptions
  onTaken(): void
  signal: AbortSignal
}

/**
 * Takes each epoch as it becomes final at one peer, until that peer falls silent, lies or falls behind what others have,
 * or this node becomes a validator.
 *
 * @throws what `take` throws
 */
export async function followOne(init: FollowOneInit): Promise<void> {
  const { client, chain, peers, source } = init
  const ended = new AbortController()
  const signal = AbortSignal.any([init.signal, ended.signal])
  const watching = watch(init, signal).then(() => ended.abort())
  try {
    for await (const followed of read(init, client.follow(source.peer, chain.height + 1, signal), signal)) {
      if ('head' in followed) peers.heard(source.peer, followed.head.height)
      else if (!(await accept(init, followed.epoch))) return
      if (init.isValidator()) return
    }
  } finally {
    ended.abort()
    await watching
  }
}

/** Ends where the peer fails, which is told; an error of ours passes. */
async function* read<T>({ peers, source }: FollowOneInit, stream: AsyncGenerator<T>, signal: AbortSignal) {
  try {
    for (;;) {
      const next = await stream.next().catch((error: unknown) => {
        if (!signal.aborted) peers.failed(source.peer, error)
        return undefined
      })
      if (next === undefined || next.done === true) return
      yield next.value
    }
  } finally {
    await stream.return(undefined)
  }
}

async function accept(
  { chain, verify, take, peers, source, onTaken }: FollowOneInit,
  epoch: SyncEpoch,
): Promise<boolean> {
  peers.heard(source.peer, epoch.height)
  if (epoch.height <= chain.height) return true
  const code = await verify(epoch)
  if (code === undefined) {
    await take(epoch)
    onTaken()
    peers.helped(source.peer)
  } else if (epoch.height > chain.height) {
    peers.lied(source.peer, code)
    return false
  }
  return true
}

/** Resolves when what others had at one look is still not here at the next. */
async function watch({ chain, peers, source, options }: FollowOneInit, signal: AbortSignal): Promise<void> {
  for (let said = 0; ;) {
    await delay(options.checkMs, signal)
    if (signal.aborted) return
    if (chain.height < said) {
      return peers.failed(source.peer, new CodedError('E_SYNC_BEHIND', `it is behind others, who have epoch ${said}`))
    }
    const others = await peers.ask(signal, ASKED_AT_CHECK)
    said = Math.max(0, ...others.filter(({ peer }) => !peer.equals(source.peer)).map(({ height }) => height))
  }
}
