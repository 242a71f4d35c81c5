import { timingSafeEqual } from '#platform/timingSafeEqual';
import { toBase64Url } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { Secret } from '../core/secret.ts';

/** The part of a request that is checked before its body is read. */
export interface IncomingRequest {
  /** The request target as it was sent, neither decoded nor normalised. */
  url?: string | undefined;
  headers: { host?: string | undefined; origin?: string | undefined; authorization?: string | undefined };
}

/**
 * Decides which requests may use the gateway while it listens on a port. A web page can reach a local port but cannot
 * omit its `Origin`; a name made to resolve to this machine (DNS rebinding) sends another `Host`; another user of the
 * machine does not know the secret.
 */
export class CallerAuthorizer {
  readonly #host: string;
  readonly #randomness: Randomness;
  readonly #credentials = new Map<string, Credential>();

  /** `host` is the only accepted value of `Host`, e.g. `127.0.0.1:4711`. */
  constructor(host: string, randomness: Randomness) {
    this.#host = host;
    this.#randomness = randomness;
  }

  /** The endpoint's path for an account. */
  pathFor(grantId: string): string {
    return `/${grantId}/mcp`;
  }

  /** The account's secret, created at the first call. */
  secretFor(grantId: string): Secret {
    const path = this.pathFor(grantId);
    let credential = this.#credentials.get(path);
    if (credential === undefined) {
      credential = makeCredential(grantId, this.#randomness);
      this.#credentials.set(path, credential);
    }
    return credential.secret;
  }

  /** Returns the id of the grant that the request may use, or undefined if anything about the request is wrong. */
  authorize({ url, headers }: IncomingRequest): string | undefined {
    const credential = this.#credentials.get(url ?? '');
    const isLocal = headers.host === this.#host && headers.origin === undefined;
    if (credential === undefined || !isLocal) {
      return undefined;
    }
    return presents(headers.authorization, credential.header) ? credential.grantId : undefined;
  }
}

interface Credential {
  grantId: string;
  secret: Secret;
  /** The expected `Authorization` header. */
  header: Buffer;
}

function makeCredential(grantId: string, randomness: Randomness): Credential {
  const secret = new Secret(toBase64Url(randomness.bytes(32)));
  return { grantId, secret, header: bearerHeader(secret) };
}

/** The `Authorization` header that presents a secret. */
export function bearerHeader(secret: Secret): Buffer {
  return Buffer.from(`Bearer ${secret.reveal()}`, 'latin1');
}

/** Whether an `Authorization` header is the expected one. Compared in constant time; its length is no secret. */
export function presents(authorization: string | undefined, expected: Buffer): boolean {
  const presented = Buffer.from(authorization ?? '', 'latin1');
  return presented.length === expected.length && timingSafeEqual(presented, expected);
}
