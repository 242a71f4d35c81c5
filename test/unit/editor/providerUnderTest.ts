import type { TestContext } from 'node:test';
import type { AuthenticationProviderAuthenticationSessionsChangeEvent, AuthenticationSession } from 'vscode';
import { Log } from '../../../src/core/log.ts';
import type { ProviderParts } from '../../../src/editor/provider.ts';
import type { WindowOptions } from '../accounts/machine.ts';
import { openOnlyWindow } from './scriptedWindow.ts';

const { NotionAuthenticationProvider } = await import('../../../src/editor/provider.ts');
const { notRenewedError } = await import('../../../src/editor/messages/notRenewed.ts');

/** A provider over the real accounts of a window, wired as in the container. */
export async function openProvider(t: TestContext, options: WindowOptions = {}, parts: Partial<ProviderParts> = {}) {
  const { machine, window } = await openOnlyWindow(t, options);
  const logLines: string[] = [];
  const line = (text: string) => void logLines.push(text);
  /** The sign-ins that were requested: scopes and label. */
  const signIns: [readonly string[], string | undefined][] = [];
  /** The labels of the accounts that the user was warned of, as their access remains. */
  const warnings: string[] = [];
  /** The user who signs in next. */
  const browser = { user: 'ada' };
  const signIn = (user = browser.user, scopes: readonly string[] = ['default'], workspace = 'wiki') =>
    window.accounts.storeSignIn({ ...machine.server.signIn(user, workspace), askedScopes: [...scopes] });
  const provider = new NotionAuthenticationProvider({
    accounts: async () => window.accounts,
    signIn: async (scopes, label) => {
      signIns.push([scopes, label]);
      return signIn(browser.user, scopes);
    },
    warnNotRevoked: (label) => void warnings.push(label),
    notRenewedError: async (...why) => notRenewedError(...why),
    log: new Log({ error: line, warn: line, info: line, debug: line }),
    ...parts,
  });
  window.accounts.onDidChange((change) => provider.announce(change));
  const events: string[] = [];
  provider.onDidChangeSessions((event) => events.push(describe(event)));
  return { machine, window, provider, events, signIns, warnings, browser, signIn, logLines };
}

/** Such as `added ada (wiki) default`. */
function describe(event: AuthenticationProviderAuthenticationSessionsChangeEvent): string {
  return (['added', 'changed', 'removed'] as const)
    .flatMap((kind) => (event[kind] ?? []).map((session) => `${kind} ${text(session)}`))
    .join(', ');
}

/** Such as `ada (wiki) default`; an empty scope is shown as ''. */
export function text({ account, scopes }: AuthenticationSession): string {
  return [account.label, ...scopes.map((scope) => scope || "''")].join(' ');
}
