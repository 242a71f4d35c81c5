import {
  authentication,
  commands,
  type Disposable,
  EventEmitter,
  type ExtensionContext,
  l10n,
  lm,
  window,
  workspace,
} from 'vscode';
import { listen } from '#platform/listen';
import { createApi } from './api.ts';
import type { Container } from './container.ts';
import { errorInfo } from './core/errorInfo.ts';
import { Log } from './core/log.ts';
import { type CommandName, commandNames } from './editor/commandNames.ts';
import { McpDefinitions } from './editor/mcpServers.ts';
import { NotionAuthenticationProvider, providerId } from './editor/provider.ts';
import { offerMcpServerSetting, offersMcpServer, serverUrlSetting } from './editor/settings.ts';
import { CallbackUriHandler } from './editor/uriHandler.ts';
import type { NotionMcpAuth } from './notionMcpAuth.d.ts';

/** Ends what `activate` began; the editor waits for it a bounded time. */
let end: () => Promise<void> = async () => undefined;

/** Registers everything and returns: no I/O here. What answers a call is assembled in the next turn. */
export function activate(context: ExtensionContext): NotionMcpAuth {
  const channel = window.createOutputChannel('Notion MCP', { log: true });
  const log = new Log(channel);
  let made: Promise<Container> | undefined;
  const container = (): Promise<Container> => {
    // What failed once, such as a secret store that was locked, is tried again by the next call.
    made ??= import('./container.ts')
      .then(({ createContainer }) => createContainer(context, log, { provider, definitions, accountChanges }))
      .catch((error: unknown) => {
        made = undefined;
        log.error('The accounts could not be loaded; the next call tries again.', errorInfo(error));
        throw new Error(
          l10n.t(
            'The Notion sign-ins of this computer cannot be read. Unlock its keyring if it has one, and try again.',
          ),
        );
      });
    return made;
  };
  const provider = new NotionAuthenticationProvider({
    accounts: async () => (await container()).accounts,
    signIn: async (scopes, label) => (await container()).signInFlow.run(scopes, label),
    log,
  });
  const definitions = new McpDefinitions({
    grants: async () =>
      (await container()).accounts
        .list()
        .filter(({ state }) => state !== 'dormant' && state !== 'readOnly')
        .map(({ grant }) => grant),
    isOffered: () => listen !== undefined && offersMcpServer(),
    gateway: async () => (await container()).gateway(),
    log,
  });
  const runCommand = async (name: CommandName): Promise<void> => {
    try {
      await (await container()).commands[name]();
    } catch (error) {
      const { showFailure } = await import('./container.ts');
      const sentence = error instanceof Error ? error.message : '';
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
    window.onDidChangeWindowState(async ({ focused }) => {
      // A machine that slept wakes up with timers that are late; whoever looks at the window wants to work now.
      if (focused) {
        await (await made?.catch(() => undefined))?.accounts.wakeUp();
      }
    }),
    workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration(serverUrlSetting)) {
        (await container()).serverUrlChanged();
      }
      if (event.affectsConfiguration(offerMcpServerSetting)) {
        await definitions.refresh();
      }
    }),
  );
  end = async () => (await made?.catch(() => undefined))?.dispose();
  // In the next turn the registration is on its way to the editor, and its first call finds the accounts loading.
  setTimeout(() => void container().catch(() => undefined), 0);
  return createApi({ accounts: async () => (await container()).accounts, onDidChange: accountChanges.event });
}

/** Lets a renewal that is under way end, within a bound; none starts afterwards. */
export async function deactivate(): Promise<void> {
  await end();
}

/** Forks of the editor may lack chat and what belongs to it; sessions work there all the same. */
function offerMcpServers(definitions: McpDefinitions): Disposable[] {
  const register: typeof lm.registerMcpServerDefinitionProvider | undefined = lm?.registerMcpServerDefinitionProvider;
  return register === undefined ? [] : [register('notionMcp', definitions)];
}
