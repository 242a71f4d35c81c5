import type { Memento } from 'vscode';
import type { SharedValue } from '../signIn/announcedSignIns.ts';
import type { ClientIssuers } from '../signIn/configuredClient.ts';

/** Remembers in the editor's storage which authorization server each configured client id belongs to. */
export function clientIssuersIn(memory: Memento): ClientIssuers {
  const all = () => memory.get<Record<string, string>>(clientIssuersKey, {});
  return {
    get: (clientId) => new Map(Object.entries(all())).get(clientId),
    set: (clientId, issuer) => void memory.update(clientIssuersKey, { ...all(), [clientId]: issuer }),
  };
}

const clientIssuersKey = 'clientIssuers';

/** Shares in the editor's storage which sign-ins wait for the browser; the editor passes a change on to its windows. */
export function waitingSignInsIn(memory: Memento): SharedValue {
  return { get: () => memory.get(waitingSignInsKey, {}), set: (value) => memory.update(waitingSignInsKey, value) };
}

const waitingSignInsKey = 'waitingSignIns';
