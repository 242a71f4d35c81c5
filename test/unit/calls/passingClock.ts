import { maxDiscardMs } from '../../../src/calls/accountCall.ts';
import { FakeClock } from '../fakeClock.ts';

/** Longer than any pause of a call, and shorter than the time limits of its response. */
const longestPauseMs = 15_000;

/** A clock on which the pause of a call passes as soon as it has begun, unless a test does something else then. */
export class PassingClock extends FakeClock {
  /** The delays that passed, in milliseconds. */
  readonly pauses: number[] = [];
  onPause = (pauseMs: number): void => this.advance(pauseMs);

  override after(delayMs: number, action: () => void): () => void {
    if (delayMs !== maxDiscardMs && delayMs < longestPauseMs) {
      this.pauses.push(delayMs);
      queueMicrotask(() => this.onPause(delayMs));
    }
    return super.after(delayMs, action);
  }
}
