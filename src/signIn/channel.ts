/** What became of an answer from the browser. */
export type CallbackResult =
  /** It brought the code that the sign-in waits for. */
  | 'accepted'
  /** It brought the server's or the person's refusal, and ended the sign-in with it. */
  | 'declined'
  /** Its state is ours but something else is wrong with it; the sign-in keeps waiting for the right one. */
  | 'unsafe'
  /** It belongs to a sign-in of ours that has ended: cancelled, timed out, already answered, or begun before a reload. */
  | 'ended'
  /** No sign-in of ours knows its state: somebody else's, or an attack. */
  | 'foreign';

/** The ways in which the browser's answer gets back to us. */
export type ChannelName = 'uriHandler' | 'loopback' | 'paste';

/** A channel that is ready for one sign-in. */
export interface OpenChannel {
  name: ChannelName;
  /** Registered at the authorization server exactly as it is: neither cached, rebuilt nor altered. */
  redirectUri: string;
  /**
   * Begins to take answers for `receive`, where they do not come through the editor's URI handler. Called once the
   * browser was opened; settles when `signal` aborts. @throws Failure of kind `cancelled` when the person gives up
   */
  collect?(receive: Receive, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Judges the query of an answer against the one sign-in that the channel was opened for. */
export type Receive = (query: string) => Promise<CallbackResult>;

/** Makes a channel ready for one sign-in. */
export type OpenChannelByName = (name: ChannelName) => Promise<OpenChannel>;
