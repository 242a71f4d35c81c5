/** One request as it came in, without its secrets. */
export interface LoggedRequest {
  method: string;
  path: string;
  /** Undefined while the answer is held, and for a connection that was dropped. */
  status?: number;
  userAgent?: string;
  atMs: number;
  /** The names of the query's and the body's parameters, in their order. */
  parameters: string[];
  grantType?: string;
  resource?: string;
  redirectUri?: string;
  codeChallengeMethod?: string;
  prompt?: string;
  scope?: string;
  /** Of a registration. */
  registration?: Record<string, unknown>;
  /** Of a JSON-RPC message. */
  rpcMethod?: string;
  tool?: string;
}

/** What a test waits for or looks for: the fields that it names have to be equal. */
export type RequestMatch = Partial<Omit<LoggedRequest, 'parameters' | 'registration' | 'atMs'>>;

const waitLimitMs = 20_000;

/** Every request in its order, and every secret that went by. */
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
      ...given({
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
    const json = parse(body);
    for (const name of secretNames) {
      const value = json?.[name];
      this.#keepSecret(typeof value === 'string' ? value : undefined);
    }
    const location = headers.get('location');
    if (location !== null && URL.canParse(location)) {
      this.#keepSecret(new URL(location).searchParams.get('code'));
    }
    for (const look of this.#waiting) {
      look();
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

  /** Resolves to the first request that matches and was answered, also one of the past. Throws after 20 s. */
  waitFor(match: RequestMatch): Promise<LoggedRequest> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.find(match).find(({ status }) => status !== undefined);
        if (found !== undefined) {
          clearTimeout(timer);
          this.#waiting.delete(look);
          resolve(found);
        }
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`no request like ${JSON.stringify(match)} came`));
      }, waitLimitMs);
      this.#waiting.add(look);
      look();
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
  const json = parse(body);
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

function parse(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function given<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
