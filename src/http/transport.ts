export interface TransportRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
  /** Ends the request, and the answer while it is being read. */
  signal: AbortSignal;
}

/** An answer whose body is read as it arrives. Who does not read it to its end calls `cancel`. */
export interface TransportAnswer {
  status: number;
  /** By lower-case name. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The next piece of the body, undefined after the last. Rejects when the body breaks off. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

/** Carries one request and judges nothing: `createHttp` holds the policy. Redirects are handed back, never followed. */
export interface Transport {
  /** Resolves with the head of the answer; rejects with whatever stood in the way. */
  send(request: TransportRequest): Promise<TransportAnswer>;
}
