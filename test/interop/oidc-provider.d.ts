/** Types for the parts of `oidc-provider` that `oidcProvider.ts` uses; the package has none. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export default class Provider {
    constructor(issuer: string, configuration: Configuration);
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>;
    AccessToken: { find(value: string): Promise<AccessToken | undefined> };
    Client: { adapter: { destroy(id: string): Promise<void> } };
    Grant: new (properties: {
      accountId: string;
      clientId: string;
    }) => Grant;
  }

  export interface Configuration {
    interactions: { url(context: unknown, interaction: { uid: string }): string };
    findAccount(context: unknown, accountId: string): { accountId: string; claims(): object };
    [name: string]: unknown;
  }

  export interface Interaction {
    prompt: { name: string };
    params: Record<string, unknown>;
    session?: { accountId: string };
  }

  export interface AccessToken {
    isValid: boolean;
    aud: string;
    accountId: string;
  }

  export interface Grant {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }
}

declare module 'oidc-provider/lib/helpers/lru.js' {
  /** Keeps the `maxSize` most recently used entries, and at most twice as many. */
  export default class Storage {
    constructor(options: { maxSize: number });
  }
}

declare module 'oidc-provider/lib/adapters/memory_adapter.js' {
  import type Storage from 'oidc-provider/lib/helpers/lru.js';

  export default class MemoryAdapter {
    constructor(model: string, storage: Storage);
  }
}
