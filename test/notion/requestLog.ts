import { jsonObject } from '../../src/core/json.ts';

/** A received request, without its secrets. */
export interface LoggedRequest {
  method: string;
  path: string;
  /** Undefined while the response is pending or held, and if the connection was dropped. */
  status?: number;
  userAgent?: string;
  atMs: number;
  /** The names of the parameters in the query and body, in order. */
  parameters: string[];
  grantType?: string;
  resource?: string;
  redirectUri?: string;
  codeChallengeMethod?: string;
  prompt?: string;
  scope?: string;
  /** The metadata of a client registration. */
  registration?: Record<string, unknown>;
  /** The method of a JSON-RPC message. */
  rpcMethod?: string;
  tool?: string;
}

/** The requests that a test waits for or looks up: every field that is set must be equal. */
export type RequestMatch = Partial<Omit<LoggedRequest, 'parameters' | 'registration' | 'atMs'>>;

const waitLimitMs = 20_000;

/** All requests in order, and every secret in the requests and responses. */
export class RequestLog {
  readonly secrets = new Set<string>();
  #requests: LoggedRequest[] = [];
  readonly #waiting = new Set<() => void>();

  begin(method: string, url: URL, headers: Headers, body: string): LoggedRequest {
    const fields = fieldsOf(url, headers, body);
    for (const name of secretNames) {
      this.#keepSecret(fields.parameters.get(name));
    }
    this.#keepSecret(/^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1]);
    const value = (name: string) => fields.parameters.get(name) ?? undefined;
    const logged: LoggedRequest = {
      method,
      path: url.pathname,
      atMs: Date.now(),
      parameters: [...fields.parameters.keys()],
      ...definedFields({
        userAgent: headers.get('user-agent') ?? undefined,
        grantType: value('grant_type'),
        resource: value('resource'),
        redirectUri: value('redirect_uri'),
        codeChallengeMethod: value('code_challenge_method'),
        prompt: value('prompt'),
        scope: value('scope'),
        registration: url.pathname === '/register' ? fields.json : undefined,
        rpcMethod: typeof fields.json?.method === 'string' ? fields.json.method : undefined,
        tool: toolIn(fields.json),
      }),
    };
    this.#requests.push(logged);
    return logged;
  }

  end(logged: LoggedRequest, status: number, headers: Headers, body: string): void {
    logged.status = status;
    const json = jsonObject(body);
    for (const name of secretNames) {
      const value = json?.[name];
      this.#keepSecret(typeof value === 'string' ? value : undefined);
    }
    const location = headers.get('location');
    if (location !== null && URL.canParse(location)) {
      this.#keepSecret(new URL(location).searchParams.get('code'));
    }
    for (const check of this.#waiting) {
      check();
    }
  }

  all(): LoggedRequest[] {
    return [...this.#requests];
  }

  find(match: RequestMatch): LoggedRequest[] {
    return this.#requests.filter((request) => matches(request, match));
  }

  clear(): void {
    this.#requests = [];
  }

  /** Resolves to the first matching request that has a response, including earlier requests. Rejects after 20 s. */
  waitFor(match: RequestMatch): Promise<LoggedRequest> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = this.find(match).find(({ status }) => status !== undefined);
        if (found !== undefined) {
          clearTimeout(timer);
          this.#waiting.delete(check);
          resolve(found);
        }
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`no request matched ${JSON.stringify(match)}`));
      }, waitLimitMs);
      this.#waiting.add(check);
      check();
    });
  }

  #keepSecret(value: string | null | undefined): void {
    if (value !== null && value !== undefined && value.length >= 16) {
      this.secrets.add(value);
    }
  }
}

const secretNames = [
  'access_token',
  'refresh_token',
  'code',
  'code_verifier',
  'client_secret',
  'token',
  'state',
  'code_challenge',
];

function fieldsOf(
  url: URL,
  headers: Headers,
  body: string,
): { parameters: URLSearchParams; json?: Record<string, unknown> } {
  const json = jsonObject(body);
  if (json !== undefined) {
    return { parameters: new URLSearchParams(Object.keys(json).map((name) => [name, ''])), json };
  }
  const isForm = headers.get('content-type')?.startsWith('application/x-www-form-urlencoded') === true;
  const form = isForm ? [...new URLSearchParams(body)] : [];
  return { parameters: new URLSearchParams([...url.searchParams, ...form]) };
}

function toolIn(json: Record<string, unknown> | undefined): string | undefined {
  const params = json?.params;
  const name = typeof params === 'object' && params !== null && 'name' in params ? params.name : undefined;
  return json?.method === 'tools/call' && typeof name === 'string' ? name : undefined;
}

function matches(request: LoggedRequest, match: RequestMatch): boolean {
  return Object.entries(match).every(([name, value]) => request[name as keyof LoggedRequest] === value);
}

function definedFields<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
