import { timingSafeEqual } from '#platform/timingSafeEqual';
import { toBase64Url } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { Secret } from '../core/secret.ts';

/** What a request shows of itself before anything is read or answered. */
export interface IncomingRequest {
  /** The request target as it was sent: neither decoded nor normalised. */
  url?: string | undefined;
  headers: { host?: string | undefined; origin?: string | undefined; authorization?: string | undefined };
}

/**
 * Who may use the gateway, for one listen. A web page reaches a port of this machine but cannot leave out its `Origin`;
 * a name made to point here (DNS rebinding) brings another `Host`; another user of the machine lacks the secret.
 */
export class CallerAuthorizer {
  readonly #host: string;
  readonly #randomness: Randomness;
  readonly #credentials = new Map<string, Credential>();
  /** Stands in where there is no such path, so that a wrong path takes as long as a wrong secret. */
  readonly #noCredential: Credential;

  /** `host` is the only `Host` that is let in, e.g. `127.0.0.1:4711`. */
  constructor(host: string, randomness: Randomness) {
    this.#host = host;
    this.#randomness = randomness;
    this.#noCredential = makeCredential('', randomness);
  }

  /** The path of an account. */
  pathFor(grantId: string): string {
    return `/${grantId}/mcp`;
  }

  /** The account's secret of this listen; made at the first call. */
  secretFor(grantId: string): Secret {
    const path = this.pathFor(grantId);
    let credential = this.#credentials.get(path);
    if (credential === undefined) {
      credential = makeCredential(grantId, this.#randomness);
      this.#credentials.set(path, credential);
    }
    return credential.secret;
  }

  /** The id of the grant that the request may use; undefined for everybody else, whatever is wrong. */
  authorize({ url, headers }: IncomingRequest): string | undefined {
    const credential = this.#credentials.get(url ?? '');
    const shown = Buffer.from(headers.authorization ?? '', 'latin1');
    const { header } = credential ?? this.#noCredential;
    const sameLength = shown.length === header.length;
    const matches = timingSafeEqual(sameLength ? shown : header, header) && sameLength;
    const here = headers.host === this.#host && headers.origin === undefined;
    return matches && here ? credential?.grantId : undefined;
  }
}

interface Credential {
  grantId: string;
  secret: Secret;
  /** The `Authorization` header that opens. */
  header: Buffer;
}

function makeCredential(grantId: string, randomness: Randomness): Credential {
  const secret = toBase64Url(randomness.bytes(32));
  return { grantId, secret: new Secret(secret), header: Buffer.from(`Bearer ${secret}`, 'latin1') };
}
