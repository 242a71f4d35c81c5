import {
  authentication,
  commands,
  type Disposable,
  EventEmitter,
  type ExtensionContext,
  lm,
  window,
  workspace,
} from 'vscode';
import { listen } from '#platform/listen';
import { createApi } from './api.ts';
import type { Container } from './container.ts';
import { AccountNumbers } from './core/accountNumbers.ts';
import { displayText } from './core/displayText.ts';
import { errorInfo } from './core/errorInfo.ts';
import { Log } from './core/log.ts';
import { registerApiCommands } from './editor/apiCommands.ts';
import { type CommandName, commandNames } from './editor/commandNames.ts';
import { numberedAccountsIn } from './editor/globalState.ts';
import { McpDefinitions } from './editor/mcpServers.ts';
import { l10n } from './editor/messages/l10n.ts';
import { NotionAuthenticationProvider, providerId } from './editor/provider.ts';
import { offerMcpServerSetting, offersMcpServer, serverUrlSetting } from './editor/settings.ts';
import { CallbackUriHandler } from './editor/uriHandler.ts';
import type { NotionMcpAuth } from './notionMcpAuth.d.ts';

const longestMessage = 300;

/** Disposes of what `activate` created. The editor waits for it only for a bounded time. */
let end: () => Promise<void> = async () => undefined;

/** Registers everything and returns without any I/O. The container is created in the next turn of the event loop. */
export function activate(context: ExtensionContext): NotionMcpAuth {
  const channel = window.createOutputChannel('Notion MCP', { log: true });
  const log = new Log(channel, new AccountNumbers(numberedAccountsIn(context.globalState)));
  let creation: Promise<Container> | undefined;
  const container = (): Promise<Container> => {
    // A failure may pass, for example when the user unlocks the secret store, so the next call tries again.
    creation ??= import('./container.ts')
      .then(({ createContainer }) => createContainer(context, log, { provider, definitions, accountChanges }))
      .catch((error: unknown) => {
        creation = undefined;
        log.error('The accounts could not be loaded; the next call tries again.', errorInfo(error));
        throw new Error(
          l10n.t(
            'The Notion sign-ins on this computer cannot be read. Unlock its keyring, if it has one, then try again.',
          ),
        );
      });
    return creation;
  };
  const provider = new NotionAuthenticationProvider({
    accounts: async () => (await container()).accounts,
    signIn: async (scopes, label) => (await container()).signInFlow.run(scopes, label),
    warnNotRevoked: async (label) => (await import('./container.ts')).warnNotRevoked(label),
    notRenewedError: async (...why) => (await import('./container.ts')).notRenewedError(...why),
    log,
  });
  const definitions = new McpDefinitions({
    grants: async () => (await container()).offeredGrants(),
    isOffered: () => listen !== undefined && offersMcpServer(),
    gateway: async () => (await container()).gateway(),
    bridgeCommand: async () => (await container()).bridgeCommand(),
    log,
  });
  const runCommand = async (name: CommandName): Promise<void> => {
    try {
      await (await container()).commands[name]();
    } catch (error) {
      const { showFailure } = await import('./container.ts');
      const sentence = displayText(error instanceof Error ? error.message : '', longestMessage);
      void showFailure({ sentence, actions: ['tryAgain', 'showLog'] }, { tryAgain: () => void runCommand(name) });
    }
  };
  const accountChanges = new EventEmitter<void>();
  const uriHandler = new CallbackUriHandler(async (query) => (await container()).receive(query), log);
  context.subscriptions.push(
    channel,
    provider,
    definitions,
    accountChanges,
    ...offerMcpServers(definitions),
    authentication.registerAuthenticationProvider(providerId, 'Notion', provider, { supportsMultipleAccounts: true }),
    window.registerUriHandler(uriHandler),
    ...commandNames.map((name) => commands.registerCommand(`notionMcp.${name}`, () => runCommand(name))),
    commands.registerCommand('notionMcp.showLog', () => channel.show()),
    ...registerApiCommands(async () => (await container()).client()),
    window.onDidChangeWindowState(async ({ focused }) => {
      // After the machine slept, timers are late. A user who focuses the window wants to work now.
      if (focused) {
        await (await creation?.catch(() => undefined))?.focused();
      }
    }),
    workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration(serverUrlSetting)) {
        (await container()).serverUrlChanged();
      }
      if (event.affectsConfiguration(offerMcpServerSetting)) {
        (await container()).offerChanged();
      }
    }),
  );
  end = async () => (await creation?.catch(() => undefined))?.dispose();
  // By the next turn the registration has been sent to the editor; its first call then finds the accounts loading.
  setTimeout(() => void container().catch(() => undefined), 0);
  return createApi({
    accounts: async () => (await container()).accounts,
    lacksScopes: async (grant) => (await container()).lacksScopes(grant),
    onDidChange: accountChanges.event,
  });
}

/** Waits a bounded time for a renewal in progress. No renewal starts afterwards. */
export async function deactivate(): Promise<void> {
  await end();
}

/** Forks of the editor may lack chat and its APIs; sessions work there nevertheless. */
function offerMcpServers(definitions: McpDefinitions): Disposable[] {
  const register: typeof lm.registerMcpServerDefinitionProvider | undefined = lm?.registerMcpServerDefinitionProvider;
  return register === undefined ? [] : [register('notionMcp', definitions)];
}
