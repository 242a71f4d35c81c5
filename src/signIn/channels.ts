/** The ways in which the browser's answer gets back to us. */
export type ChannelName = 'uriHandler';

/** A channel that is ready for one sign-in. */
export interface OpenChannel {
  name: ChannelName;
  /** Registered at the authorization server exactly as it is: neither cached, rebuilt nor altered. */
  redirectUri: string;
  close(): void;
}

/** Makes a channel ready for one sign-in. */
export type Channel = () => Promise<OpenChannel>;
