/** How long a sign-in waits for the user to finish in the browser. */
export const browserLimitMs = 5 * 60_000;

/** The outcome of a callback, that is, an authorization response that the browser delivered. */
export type CallbackResult =
  /** It carried the code that the sign-in waits for. */
  | 'accepted'
  /** It carried an error from the authorization server, such as the user's denial, and ended the sign-in. */
  | 'declined'
  /** Its `state` is valid but something else is wrong with it; the sign-in is told, and waits for a valid callback. */
  | 'unsafe'
  /** It belongs to a sign-in of this window that has had its response already. */
  | 'repeated'
  /** It belongs to a sign-in of this window that is over without a response: cancelled or timed out. */
  | 'ended'
  /** It belongs to a sign-in that waits in another window, or waited in this one before a reload. */
  | 'otherWindow'
  /** No sign-in has its `state`: it is over for long, or it is an attack. */
  | 'foreign';

/** How the browser delivers the authorization response to the extension. */
export type ChannelName = 'uriHandler' | 'loopback' | 'paste';

/** A channel that is ready for one sign-in. */
export interface OpenChannel {
  name: ChannelName;
  /** Registered at the authorization server exactly as it is; never cached, rebuilt or altered. */
  redirectUri: string;
  /**
   * Starts passing callbacks to `receive`. Absent where they arrive through the editor's URI handler. Called after the
   * browser was opened; settles when `signal` aborts.
   * @throws Failure of kind `cancelled` when the user gives up
   */
  collect?(receive: Receive, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Validates a callback's query against the one sign-in that the channel was opened for. */
export type Receive = (query: string) => Promise<CallbackResult>;

/** Opens a channel for one sign-in. */
export type OpenChannelByName = (name: ChannelName) => Promise<OpenChannel>;
