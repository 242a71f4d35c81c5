/** One refresh request, by the fingerprints of its tokens. */
export interface Refresh {
  spent: string;
  userAgent: string;
  status?: number;
  /** The refresh token that came of it. */
  issued?: string;
  /** The server acted, and its answer never left. */
  isLost: boolean;
  beganAtMs: number;
  endedAtMs?: number;
}

/** What can be known of a refresh token that was presented after it was spent. */
export interface Replay {
  refresh: Refresh;
  /** The one that spent the token. */
  earlier: Refresh;
  /** The answer that came of the token was lost on the wire or with its window: a strict server takes that for theft. */
  isUnavoidable: boolean;
}

/** Longer than any window is stopped while it has an answer that it has not stored. */
const longestUnstoredMs = 6_000;

/** Every refresh that reached the server, and which of their answers reached a window. */
export class Ledger {
  readonly refreshes: Refresh[] = [];
  /** Refresh tokens that some window has held. */
  readonly #held = new Set<string>();
  /** When which window ended. */
  readonly #ends = new Map<string, number>();

  begin(spent: string, userAgent: string): Refresh {
    const refresh: Refresh = { spent, userAgent, isLost: false, beganAtMs: performance.now() };
    this.refreshes.push(refresh);
    return refresh;
  }

  end(refresh: Refresh, status: number, isLost: boolean, issued: string | undefined): void {
    Object.assign(refresh, { status, isLost, endedAtMs: performance.now(), ...(issued !== undefined && { issued }) });
  }

  /** A window said that it holds this refresh token, which is then in the journal. */
  held(refreshToken: string): void {
    this.#held.add(refreshToken);
  }

  killed(userAgent: string): void {
    this.#ends.set(userAgent, performance.now());
  }

  get rotations(): number {
    return this.refreshes.filter(({ status }) => status === 200).length;
  }

  get lostAnswers(): number {
    return this.refreshes.filter((refresh) => this.#wasLost(refresh)).length;
  }

  /** Requests with a refresh token that had been spent. */
  replays(): Replay[] {
    const first = new Map<string, Refresh>();
    const replays: Replay[] = [];
    for (const refresh of this.refreshes) {
      const earlier = first.get(refresh.spent);
      if (earlier !== undefined) {
        replays.push({ refresh, earlier, isUnavoidable: this.#wasLost(earlier) });
      }
      if (refresh.status === 200) {
        first.set(refresh.spent, refresh);
      }
    }
    return replays;
  }

  /** Whether an answer of the grant to which this refresh token belongs was lost. */
  hasLost(refreshToken: string): boolean {
    const family = new Set([refreshToken]);
    for (const { spent, issued } of this.refreshes) {
      if (issued !== undefined && family.has(spent)) {
        family.add(issued);
      }
    }
    return this.refreshes.some((refresh) => family.has(refresh.spent) && this.#wasLost(refresh));
  }

  /** The server rotated, and nobody ever held what came of it, for a reason that is not the window's fault. */
  #wasLost({ status, issued, isLost, userAgent, endedAtMs = 0 }: Refresh): boolean {
    const endMs = this.#ends.get(userAgent) ?? Number.POSITIVE_INFINITY;
    return (
      status === 200 &&
      issued !== undefined &&
      !this.#held.has(issued) &&
      (isLost || endMs - endedAtMs < longestUnstoredMs)
    );
  }
}
