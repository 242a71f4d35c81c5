import { CancellationError, commands, env, l10n, type Memento, ProgressLocation, type Uri, window } from 'vscode';
import type { Clock, Randomness } from '../clock.ts';
import type { Account, Accounts } from '../grants/accounts.ts';
import type { Grant } from '../grants/grant.ts';
import { type Log, traitsOf } from '../log.ts';
import { shownNames } from '../notion/identity.ts';
import { Failure } from '../oauth/failure.ts';
import { parseServerUrl } from '../oauth/serverUrl.ts';
import type { SignIn, SignInResult, SignInStage } from '../signIn/signIn.ts';
import { endSignIn } from './endSignIn.ts';
import { messageFor, unforeseenMessage } from './messages.ts';
import type { Message } from './remedies.ts';
import { offersMcpServer, serverUrlText, stopOfferingMcpServer } from './settings.ts';
import { showFailure, showWarning } from './showMessage.ts';

export interface SignInFlowParts {
  signIn: SignIn;
  accounts: Accounts;
  /** Keeps what was told across windows and reloads. */
  memory: Memento;
  clock: Clock;
  randomness: Randomness;
  log: Log;
}

const toldOfToolsKey = 'toldOfTools';

/** A sign-in with everything the person sees of it: progress with Cancel, questions, and how it ended. */
export class SignInFlow {
  readonly #parts: SignInFlowParts;
  #begun = 0;

  constructor(parts: SignInFlowParts) {
    this.#parts = parts;
  }

  /**
   * Signs in for a consumer that asked for `scopes`.
   * @throws CancellationError when the person ended it, else an `Error` whose message is the sentence that was shown
   */
  async run(scopes: readonly string[]): Promise<SignInResult> {
    const { randomness } = this.#parts;
    const log = this.#parts.log.operation('sign-in', randomness);
    log.info('A sign-in begins.', { scopes: scopes.length });
    try {
      const result = await this.#runWithProgress(scopes, log);
      log.info('Signed in.', { grant: result.grant.id, reconnected: result.reconnected });
      void this.#sayConnected(result);
      return result;
    } catch (error) {
      throw this.#sayFailed(error, scopes, log);
    }
  }

  /** Signs an account in again. Another identity that comes back stands beside it, and that is said. */
  async reconnect({ grant }: Pick<Account, 'grant'>): Promise<void> {
    try {
      const result = await this.run(grant.askedScopes);
      if (result.grant.id !== grant.id && grant.identity !== undefined) {
        const sentence = l10n.t(
          'You signed in as {0}, so {1} still needs to sign in. Choose it in the browser to reconnect it.',
          result.grant.label,
          grant.label,
        );
        void showWarning({ sentence, remedies: ['reconnect'] }, { reconnect: () => void this.reconnect({ grant }) });
      }
    } catch {
      // It was told already.
    }
  }

  async #runWithProgress(scopes: readonly string[], log: Log): Promise<SignInResult> {
    const serverUrl = parseServerUrl(serverUrlText());
    this.#parts.accounts.refuseIfStale();
    return window.withProgress(
      { location: ProgressLocation.Notification, cancellable: true, title: l10n.t('Notion') },
      async (progress, token) => {
        const cancel = new AbortController();
        const listening = token.onCancellationRequested(() => cancel.abort());
        let tryAnotherWay: (() => void) | undefined;
        // A progress notification has one button, so the second choice is a link; its command is this sign-in's own.
        const anotherWayCommand = `notionMcp.tryAnotherWay.${++this.#begun}`;
        const anotherWay = commands.registerCommand(anotherWayCommand, () => tryAnotherWay?.());
        try {
          return await this.#parts.signIn.run({
            serverUrl,
            scopes,
            signal: cancel.signal,
            onStage: (stage, host, another) => {
              tryAnotherWay = another;
              const link = another === undefined ? '' : ` [${anotherWayLabel()}](command:${anotherWayCommand})`;
              progress.report({ message: stageMessage(stage, host) + link });
            },
            confirmHosts,
            log,
          });
        } finally {
          listening.dispose();
          anotherWay.dispose();
        }
      },
    );
  }

  /** Says who is connected: the browser may have been signed in to somebody else's Notion. */
  async #sayConnected({ grant, reconnected }: SignInResult): Promise<void> {
    const undo = l10n.t({ message: 'Undo', comment: ['Button: signs out the account that has just signed in.'] });
    const turnOff = l10n.t({ message: 'Turn Off', comment: ['Button: chat no longer gets tools from Notion.'] });
    const connected = connectedSentence(grant);
    const isNews = this.#isFirstOffer();
    const sentence = isNews ? l10n.t('{0} Notion’s tools are now available in chat.', connected) : connected;
    const buttons = [...(reconnected ? [] : [undo]), ...(isNews ? [turnOff] : [])];
    const picked = await window.showInformationMessage(sentence, ...buttons);
    if (picked === undo && this.#parts.accounts.find(grant.id)?.grant.generation !== grant.generation) {
      // The note is old and the account has been used since, so this is an ordinary sign-out, which asks first.
      await commands.executeCommand('notionMcp.signOut');
    } else if (picked === undo) {
      await endSignIn(this.#parts, grant);
    } else if (picked === turnOff) {
      await stopOfferingMcpServer();
    }
  }

  /** Whether this is the first sign-in since chat may use Notion's tools: then the person should know. */
  #isFirstOffer(): boolean {
    const { memory } = this.#parts;
    if (!offersMcpServer() || memory.get(toldOfToolsKey) === true) {
      return false;
    }
    void memory.update(toldOfToolsKey, true);
    return true;
  }

  /** Shows what went wrong and returns what the caller is to throw. */
  #sayFailed(error: unknown, scopes: readonly string[], log: Log): Error {
    if (!(error instanceof Failure)) {
      log.error('The sign-in failed in an unforeseen way.', traitsOf(error));
      return this.#show(unforeseenMessage(), scopes);
    }
    const { step, code, status } = error.details;
    const message = messageFor(error);
    if (message === undefined) {
      log.info('The sign-in was cancelled.', { code });
      return new CancellationError();
    }
    log.warn('The sign-in failed.', { kind: error.kind, step, code, status });
    return this.#show(message, scopes);
  }

  #show(message: Message, scopes: readonly string[]): Error {
    const again = () => void this.run(scopes).catch(() => undefined);
    void showFailure(message, { tryAgain: again, signIn: again });
    return new Error(message.sentence);
  }
}

/**
 * Opens the URL byte for byte. `openExternal(Uri)` re-encodes a URL that carries a URL and cuts `redirect_uri` at its
 * first `&` (microsoft/vscode#85930); handed a string, the editor passes it on as it is.
 */
export async function openBrowser(url: string): Promise<boolean> {
  return env.openExternal(url as unknown as Uri);
}

function connectedSentence({ identity, label }: Grant): string {
  const { user, workspace } = identity === undefined ? { user: label, workspace: '' } : shownNames(identity);
  return workspace === '' ? l10n.t('Connected as {0}.', user) : l10n.t('Connected as {0} in {1}.', user, workspace);
}

function anotherWayLabel(): string {
  return l10n.t({ message: 'Try another way', comment: ['Link: the browser’s answer comes back in another way.'] });
}

function stageMessage(stage: SignInStage, host: string): string {
  switch (stage) {
    case 'discovering':
      return l10n.t('Asking {0} where to sign in…', host);
    case 'waitingForBrowser':
      return l10n.t('Allow access at {0} in your browser…', host);
    case 'finishing':
      return l10n.t('Finishing the sign-in…');
  }
}

/** Names the hosts before the browser opens where they are not the ones that everybody knows. */
async function confirmHosts(mcpHost: string, authorizationHost: string): Promise<boolean> {
  const proceed = l10n.t('Continue');
  const answer = await window.showWarningMessage(
    l10n.t('Sign in at {0}?', authorizationHost),
    {
      modal: true,
      detail: l10n.t(
        'Notion’s tools would come from {0}, and you would sign in at {1}. This is not where Notion runs its service. Continue only if you chose this server.',
        mcpHost,
        authorizationHost,
      ),
    },
    proceed,
  );
  return answer === proceed;
}
