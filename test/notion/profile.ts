/** How long a credential stays unknown to the server after it was issued. */
export type Delay = { requests: number } | { ms: number };

/** How the calls that read the identity fail. */
export interface IdentityFailure {
  as: 'unauthorized' | 'rateLimited' | 'unavailable' | 'serializationFault' | 'toolRateLimit';
  /** How many more calls fail; infinity for all. */
  times: number;
}

/** What is known to differ between Notion's deployments, plans and clients. */
export interface Profile {
  /** Whether `notion-fetch self` wraps the identity in `self`. */
  identity: 'wrapped' | 'bare';
  /** Whether the user's e-mail address is part of the identity. */
  email: boolean;
  identityFailure: IdentityFailure | undefined;
  /** For clients that Notion takes for OpenAI's, `notion-fetch` and `notion-search` are `fetch` and `search`. */
  toolNames: 'prefixed' | 'openAi';
  /** Whether the tools that change nothing say so, by which some agents call them without the user's permission. */
  readOnlyHints: boolean;
  /**
   * For how many polls a task in the background is still running. Above 0, an update of a page becomes such a task also
   * if the client did not ask for that.
   */
  runningPolls: number;
  /** The scopes that the metadata lists. */
  scopes: readonly string[];
  /** Whether the MCP endpoint accepts requests of web pages. Which ones Notion accepts is not known. */
  origins: 'accepted' | 'refused';
  /** Whether a redirect URI such as `vscode://…` can be registered. Library version `next` always refuses it. */
  customSchemes: 'accepted' | 'refused';
  /** `membersOnly` and `clientNotAllowed` refuse every user at the end of the consent. */
  admission: 'allowed' | 'membersOnly' | 'clientNotAllowed';
  /** Grants of enterprise-managed authorization have no refresh token. */
  refreshToken: 'issued' | 'none';
  /** `grace` also accepts the previous refresh token; `strict` takes any reuse for theft. */
  refreshReuse: 'grace' | 'strict';
  /** How long an older refresh token is rejected without harm. Later, its reuse revokes the grant. */
  refreshGraceSeconds: number;
  /** Whether a refresh ends the grant's earlier access tokens. */
  refreshEndsAccessTokens: boolean;
  /** What token responses state and the server enforces. */
  accessTokenLifeSeconds: number;
  /** The credentials that the server does not know at first. */
  unknownAtFirst: { client?: Delay; refreshToken?: Delay; accessToken?: Delay };
}

/** As Notion documents it, or else as reported last. */
export const defaultProfile: Readonly<Profile> = {
  identity: 'wrapped',
  email: true,
  identityFailure: undefined,
  toolNames: 'prefixed',
  readOnlyHints: false,
  runningPolls: 0,
  scopes: ['default'],
  origins: 'accepted',
  customSchemes: 'accepted',
  admission: 'allowed',
  refreshToken: 'issued',
  refreshReuse: 'grace',
  refreshGraceSeconds: 60,
  refreshEndsAccessTokens: true,
  accessTokenLifeSeconds: 3_600,
  unknownAtFirst: {},
};

/**
 * Reads a profile from a command line: each setting is a name, `=` and a value, which is JSON or a word.
 * @throws Error for a name that no profile has
 */
export function parseProfile(settings: readonly string[]): Partial<Profile> {
  return Object.fromEntries(
    settings.map((setting) => {
      const [, name = '', value = ''] = /^([^=]*)=(.*)$/.exec(setting) ?? [];
      if (!Object.hasOwn(defaultProfile, name)) {
        throw new Error(`there is no “${name}”; a profile has ${Object.keys(defaultProfile).join(', ')}`);
      }
      return [name, jsonOrWord(value)];
    }),
  );
}

function jsonOrWord(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
