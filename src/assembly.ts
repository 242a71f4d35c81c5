import { type ExtensionContext, env, l10n } from 'vscode';
import { files } from '#platform/files';
import { createPlatformHttp } from '#platform/transport';
import { systemClock as clock, systemRandomness as randomness } from './clock.ts';
import * as editorCommands from './editor/commands.ts';
import { channelOpener } from './editor/openChannel.ts';
import type { NotionAuthenticationProvider } from './editor/provider.ts';
import { configuredClientId, defaultServerUrl, serverUrlText } from './editor/settings.ts';
import { showNote } from './editor/showMessage.ts';
import { openBrowser, SignInFlow } from './editor/signInFlow.ts';
import { situation } from './editor/situation.ts';
import { tellOfStorageProblems } from './editor/storageProblems.ts';
import { Accounts } from './grants/accounts.ts';
import { journalDirectory } from './grants/journalDirectory.ts';
import { grantProtocol } from './grants/protocol.ts';
import type { Log } from './log.ts';
import { accountLabel } from './notion/identity.ts';
import { parseServerUrl } from './oauth/serverUrl.ts';
import { orderChannels } from './signIn/channels.ts';
import { Discoveries } from './signIn/discoveries.ts';
import { PendingSignIns } from './signIn/pending.ts';
import { SignIn } from './signIn/signIn.ts';

/** What a provider call, a command or a callback needs; built once a window, on first use. */
export interface Assembly {
  accounts: Accounts;
  signInFlow: SignInFlow;
  commands: { signIn(): Promise<void>; signOut(): Promise<void>; refresh(): Promise<void> };
  /** Takes the query of a callback from the browser. */
  receive(query: string): Promise<void>;
  serverUrlChanged(): void;
  dispose(): Promise<void>;
}

/** Builds the rooms and wires them. Resolves once the accounts are loaded: nobody is answered before. */
export async function assemble(
  context: ExtensionContext,
  log: Log,
  provider: NotionAuthenticationProvider,
): Promise<Assembly> {
  const version = String(context.extension.packageJSON.version);
  const http = createPlatformHttp({ userAgent: `notion-mcp-auth/${version}` });
  const accounts = new Accounts({
    secrets: context.secrets,
    files,
    directory: journalDirectory(context.globalStorageUri.fsPath),
    protocol: grantProtocol(http, clock),
    clock,
    randomness,
    log,
    // The extension host is as old as its window.
    openedAtMs: performance.timeOrigin,
    serverUrl: configuredServerUrl(),
    labelFor: accountLabel,
  });
  accounts.onDidChange((change) => provider.announce(change));
  await accounts.load();
  tellOfStorageProblems(accounts.problems, context.globalState);
  const pending = new PendingSignIns(context.globalState, clock, log);
  const signIn = new SignIn({
    http,
    accounts,
    pending,
    discoveries: new Discoveries(http, clock),
    channels: () => orderChannels(situation(context.extension)),
    openChannel: channelOpener(context.extension, clock, randomness),
    configuredClientId,
    openBrowser,
    defaultServerUrl,
    clientName: `${env.appName} (Notion MCP Authentication)`,
    clock,
    randomness,
    log,
  });
  const signInFlow = new SignInFlow({ signIn, accounts, log });
  const parts = { accounts, signInFlow, log };
  return {
    accounts,
    signInFlow,
    commands: {
      signIn: () => editorCommands.signIn(parts),
      signOut: () => editorCommands.signOut(parts),
      refresh: () => editorCommands.refresh(parts),
    },
    receive: async (query) => {
      if ((await pending.receive(query)) === 'ended') {
        const sentence = l10n.t(
          'The browser answered a sign-in that has already ended. Sign in again if you still want to.',
        );
        void showNote({ sentence, remedies: ['signIn', 'showLog'] });
      }
    },
    serverUrlChanged: () => accounts.setServerUrl(configuredServerUrl()),
    dispose: () => accounts.dispose(),
  };
}

/** The configured server as `URL.href`, or an address that no account has while the setting cannot be used. */
function configuredServerUrl(): string {
  try {
    return parseServerUrl(serverUrlText()).href;
  } catch {
    return '';
  }
}
