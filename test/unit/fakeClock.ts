import type { Clock } from '../../src/core/clock.ts';

/** A clock that stands still until a test advances it. */
export class FakeClock implements Clock {
  #nowMs: number;
  #timers: { dueMs: number; action: () => void }[] = [];

  constructor(nowMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Advances the time and runs the timers that become due, earliest first. */
  advance(spanMs: number): void {
    const untilMs = this.#nowMs + spanMs;
    for (;;) {
      const next = this.#timers.filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) {
        break;
      }
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.action();
    }
    this.#nowMs = untilMs;
  }

  /** Advances the time to the timer that is due next and runs it. Returns how much time passed, in milliseconds. */
  advanceToNextTimer(): number {
    const startMs = this.#nowMs;
    this.advance(Math.max(0, Math.min(...this.#timers.map(({ dueMs }) => dueMs)) - startMs));
    return this.#nowMs - startMs;
  }

  /** Lets time pass as if the machine slept: no timer runs until the next `advance`, and then they are all late. */
  jump(spanMs: number): void {
    this.#nowMs += spanMs;
  }

  get pendingTimers(): number {
    return this.#timers.length;
  }
}
