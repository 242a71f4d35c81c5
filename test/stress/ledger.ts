/** One refresh request; tokens are recorded as fingerprints. */
export interface Refresh {
  spent: string;
  userAgent: string;
  status?: number;
  /** The refresh token in its response. */
  issued?: string;
  /** The authorization server processed the request, but its response was not delivered. */
  isLost: boolean;
  beganAtMs: number;
  endedAtMs?: number;
}

/** The use of a refresh token that was already spent. */
export interface Replay {
  refresh: Refresh;
  /** The refresh that spent the token. */
  earlier: Refresh;
  /**
   * The earlier response was lost in the network or with its window, so no newer token was available. A server with
   * strict reuse detection treats the repetition as theft.
   */
  isUnavoidable: boolean;
}

/** More than the longest time for which a window is stopped between receiving a response and storing it. */
const longestUnstoredMs = 6_000;

/** Records every refresh request that reached the proxy, and which responses reached a window. */
export class Ledger {
  readonly refreshes: Refresh[] = [];
  /** Refresh tokens that a window has reported. */
  readonly #held = new Set<string>();
  /** When each window ended, by user agent. */
  readonly #ends = new Map<string, number>();

  begin(spent: string, userAgent: string): Refresh {
    const refresh: Refresh = { spent, userAgent, isLost: false, beganAtMs: performance.now() };
    this.refreshes.push(refresh);
    return refresh;
  }

  end(refresh: Refresh, status: number, isLost: boolean, issued: string | undefined): void {
    Object.assign(refresh, { status, isLost, endedAtMs: performance.now(), ...(issued !== undefined && { issued }) });
  }

  /** Records that a window reported this refresh token, which is then in the journal. */
  noteHeld(refreshToken: string): void {
    this.#held.add(refreshToken);
  }

  noteEnd(userAgent: string): void {
    this.#ends.set(userAgent, performance.now());
  }

  get rotations(): number {
    return this.refreshes.filter(({ status }) => status === 200).length;
  }

  get lostResponses(): number {
    return this.refreshes.filter((refresh) => this.#wasLost(refresh)).length;
  }

  /** Refresh requests with a token that was already spent. */
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

  /** Whether the response to a refresh of this token, or of one of its successors, was lost. */
  hasLost(refreshToken: string): boolean {
    const family = new Set([refreshToken]);
    for (const { spent, issued } of this.refreshes) {
      if (issued !== undefined && family.has(spent)) {
        family.add(issued);
      }
    }
    return this.refreshes.some((refresh) => family.has(refresh.spent) && this.#wasLost(refresh));
  }

  /**
   * Whether the authorization server rotated the token but no window ever held the new one, because the connection
   * broke or the window ended.
   */
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
