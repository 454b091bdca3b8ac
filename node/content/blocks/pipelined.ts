export interface PipelineLimits<Item> {
  /** Tasks under way at once. */
  tasks: number
  /** Their weights together; one heavier item goes alone. */
  weight: number
  weightOf: (item: Item) => number
}

/** Runs a task for each item, several ahead of the reader, and yields the results in the order of the items. */
export async function* pipelined<Item, Result>(
  source: Iterable<Item> | AsyncIterable<Item>,
  limits: PipelineLimits<Item>,
  task: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: { result: Promise<Result>; weight: number }[] = []
  let weight = 0
  const next = (): Promise<Result> => {
    const first = running.shift()!
    weight -= first.weight
    return first.result
  }
  try {
    for await (const item of source) {
      const started = { result: task(item), weight: limits.weightOf(item) }
      // Thrown in its turn.
      started.result.catch(() => undefined)
      running.push(started)
      weight += started.weight
      while (running.length >= limits.tasks || weight > limits.weight) yield await next()
    }
    while (running.length > 0) yield await next()
  } finally {
    await Promise.allSettled(running.map(({ result }) => result))
  }
}
