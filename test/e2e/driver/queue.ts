/** A queue whose `take` waits for the next item if there is none yet. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  get size(): number {
    return this.#items.length;
  }

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#items.push(item);
    } else {
      taker(item);
    }
  }

  /** Removes the oldest item and resolves to it. @throws Error if no item arrives within `limitMs` */
  take(limitMs = 20_000): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) {
      return Promise.resolve(item);
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#takers.splice(this.#takers.indexOf(taker), 1);
        reject(new Error(`no item arrived within ${limitMs} ms`));
      }, limitMs);
      const taker = (next: T): void => {
        clearTimeout(timer);
        resolve(next);
      };
      this.#takers.push(taker);
    });
  }
}
