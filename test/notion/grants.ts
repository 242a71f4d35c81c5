import { createHash } from 'node:crypto';

/** Selects grants by user and workspace. A field that is not set matches every grant. */
export interface GrantFilter {
  user?: string;
  workspace?: string;
}

interface StoredGrant {
  id: string;
  userId: string;
  metadata?: { user?: string; workspace?: string };
}

/** The part of a Workers KV namespace that is used here. */
export interface Store {
  get<T>(name: string, type: 'json'): Promise<T | null>;
  delete(name: string): Promise<void>;
  list(options: {
    prefix: string;
    cursor?: string;
  }): Promise<{ keys: { name: string }[]; list_complete: boolean; cursor?: string }>;
}

/** Manipulates the library's own store, to cause events that no request can cause. */
export class StoredGrants {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Revokes grants, as a user does in Notion's settings. */
  async revoke(filter: GrantFilter = {}): Promise<void> {
    for (const grant of await this.#grants(filter)) {
      await this.#store.delete(`grant:${grant.userId}:${grant.id}`);
      await this.#deleteAll(`token:${grant.userId}:${grant.id}:`);
    }
  }

  /** Expires access tokens; the refresh tokens stay valid. */
  async expireAccessTokens(filter: GrantFilter = {}): Promise<void> {
    for (const { userId, id } of await this.#grants(filter)) {
      await this.#deleteAll(`token:${userId}:${id}:`);
    }
  }

  /** Deletes all client registrations, as Notion does after 90 days. */
  async purgeClients(): Promise<void> {
    await this.#deleteAll('client:');
  }

  async revokeGrantOf(token: string): Promise<void> {
    const [userId, grantId] = token.split(':');
    await this.#store.delete(`grant:${userId}:${grantId}`);
    await this.#deleteAll(`token:${userId}:${grantId}:`);
  }

  /** Invalidates every access token of the grant except this one. */
  async invalidateOtherAccessTokens(accessToken: string): Promise<void> {
    const [userId, grantId] = accessToken.split(':');
    const newest = createHash('sha256').update(accessToken).digest('hex');
    await this.#deleteAll(`token:${userId}:${grantId}:`, (name) => !name.endsWith(newest));
  }

  async #grants({ user, workspace }: GrantFilter): Promise<StoredGrant[]> {
    const grants: StoredGrant[] = [];
    for (const name of await this.#names('grant:')) {
      const grant = await this.#store.get<StoredGrant>(name, 'json');
      const matches =
        grant !== null &&
        (user === undefined || grant.metadata?.user === user) &&
        (workspace === undefined || grant.metadata?.workspace === workspace);
      if (matches) {
        grants.push(grant);
      }
    }
    return grants;
  }

  async #deleteAll(prefix: string, which: (name: string) => boolean = () => true): Promise<void> {
    const names = (await this.#names(prefix)).filter(which);
    await Promise.all(names.map((name) => this.#store.delete(name)));
  }

  async #names(prefix: string): Promise<string[]> {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#store.list({ prefix, ...(cursor !== undefined && { cursor }) });
      names.push(...page.keys.map(({ name }) => name));
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor !== undefined);
    return names;
  }
}
