/** Weighted and fair: tasks run while their weights together fit; the rest wait in order. */
export class Budget {
  readonly #total: number
  #used = 0
  readonly #waiting: { weight: number; begin: () => void }[] = []

  constructor(total: number) {
    this.#total = total
  }

  /** A task heavier than the whole runs alone. */
  async run<T>(weight: number, task: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#fits(weight)) {
      await new Promise<void>((begin) => this.#waiting.push({ weight, begin }))
    } else {
      this.#used += weight
    }
    try {
      return await task()
    } finally {
      this.#used -= weight
      this.#admit()
    }
  }

  #fits(weight: number): boolean {
    return this.#used === 0 || this.#used + weight <= this.#total
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.weight); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#used += next.weight
      next.begin()
    }
  }
}
