import { Secret } from '../core/secret.ts';
import type { Identity } from '../notion/identity.ts';
import type { FailureCode } from '../oauth/errors.ts';
import type { AuthorizationServer, Client, ClientAuthMethod, Tokens } from '../oauth/model.ts';
import type { Grant, NeedsSignInReason } from './grant.ts';

/** The format version that this code writes; see `storage/schema.md`. */
export const formatVersion = 1;

export type Decoded =
  | { kind: 'grant'; grant: Grant }
  /** Written by a newer version of the extension: it may be shown, but never overwritten. */
  | { kind: 'newer'; grant: Grant }
  | { kind: 'damaged' };

/** Serializes a grant. The text holds secrets in clear: put it into SecretStorage or encrypt it, nothing else. */
export function encodeGrant(grant: Grant): string {
  const { unknown, client, tokens, ...rest } = grant;
  return JSON.stringify({
    ...unknown,
    version: formatVersion,
    ...rest,
    client: { ...client, clientSecret: client.clientSecret?.reveal() },
    tokens: { ...tokens, accessToken: tokens.accessToken.reveal(), refreshToken: tokens.refreshToken?.reveal() },
  });
}

/** Parses a stored record. Fields that this version does not know are kept in `unknown` and written back. */
export function decodeGrant(text: string): Decoded {
  try {
    const record = object(JSON.parse(text));
    const version = number(record.version);
    const grant = readGrant(record);
    return { kind: version > formatVersion ? 'newer' : 'grant', grant };
  } catch {
    return { kind: 'damaged' };
  }
}

const knownFields = new Set([
  'version',
  'id',
  'generation',
  'serverUrl',
  'resource',
  'authorizationServer',
  'client',
  'tokens',
  'identity',
  'accountId',
  'label',
  'serverNames',
  'askedScopes',
  'signedInAtMs',
  'machineId',
  'needsSignIn',
  'refusal',
  'mergedFrom',
]);

function readGrant(record: Fields): Grant {
  const unknown = Object.fromEntries(Object.entries(record).filter(([name]) => !knownFields.has(name)));
  const needsSignIn = optional(record.needsSignIn, object);
  return {
    id: text(record.id),
    generation: number(record.generation),
    serverUrl: text(record.serverUrl),
    resource: text(record.resource),
    authorizationServer: readServer(object(record.authorizationServer)),
    client: readClient(object(record.client)),
    tokens: readTokens(object(record.tokens)),
    ...defined({ identity: optional(record.identity, readIdentity) }),
    ...defined({
      accountId: optional(record.accountId, text),
      serverNames: optional(record.serverNames, readServerNames),
    }),
    label: text(record.label),
    askedScopes: texts(record.askedScopes),
    signedInAtMs: number(record.signedInAtMs),
    ...defined({ machineId: optional(record.machineId, text) }),
    ...(needsSignIn && {
      needsSignIn: {
        reason: text(needsSignIn.reason) as NeedsSignInReason,
        ...defined({ serverCode: optional(needsSignIn.serverCode, text) }),
      },
    }),
    ...defined({ refusal: optional(record.refusal, readRefusal), mergedFrom: optional(record.mergedFrom, text) }),
    ...(Object.keys(unknown).length > 0 && { unknown }),
  };
}

function readServer(record: Fields): AuthorizationServer {
  // Unknown fields are kept, so that what a newer version discovered is not lost.
  return {
    ...record,
    issuer: text(record.issuer),
    authorizationEndpoint: text(record.authorizationEndpoint),
    tokenEndpoint: text(record.tokenEndpoint),
  };
}

function readClient(record: Fields): Client {
  return {
    clientId: text(record.clientId),
    authMethod: text(record.authMethod) as ClientAuthMethod,
    ...defined({
      clientSecret: optional(record.clientSecret, secret),
      clientIdIssuedAtSeconds: optional(record.clientIdIssuedAtSeconds, number),
      clientSecretExpiresAtSeconds: optional(record.clientSecretExpiresAtSeconds, number),
    }),
  };
}

function readTokens(record: Fields): Tokens {
  return {
    accessToken: secret(record.accessToken),
    obtainedAtMs: number(record.obtainedAtMs),
    ...defined({
      refreshToken: optional(record.refreshToken, secret),
      expiresInSeconds: optional(record.expiresInSeconds, number),
      scopes: optional(record.scopes, texts),
    }),
  };
}

function readIdentity(value: unknown): Identity {
  const record = object(value);
  return {
    userId: text(record.userId),
    userName: text(record.userName),
    workspaceId: text(record.workspaceId),
    workspaceName: text(record.workspaceName),
    ...defined({ userEmail: optional(record.userEmail, text) }),
  };
}

function readServerNames(value: unknown): NonNullable<Grant['serverNames']> {
  const record = object(value);
  return { handle: text(record.handle), title: text(record.title) };
}

function readRefusal(value: unknown): NonNullable<Grant['refusal']> {
  const record = object(value);
  return {
    code: text(record.code) as FailureCode,
    count: number(record.count),
    retryAtMs: number(record.retryAtMs),
  };
}

type Fields = Record<string, unknown>;

function object(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('not an object');
  }
  return value as Fields;
}

function text(value: unknown): string {
  if (typeof value !== 'string') {
    throw new TypeError('not a string');
  }
  return value;
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new TypeError('not a number');
  }
  return value;
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value)) {
    throw new TypeError('not an array');
  }
  return value.map(text);
}

function secret(value: unknown): Secret {
  return new Secret(text(value));
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

/** Leaves out the fields that are `undefined`. */
function defined<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
