import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Secret } from '../core/secret.ts';
import { buildAuthorization } from '../oauth/authorization.ts';
import { Failure } from '../oauth/errors.ts';
import type { Client, Discovery } from '../oauth/model.ts';
import { stepUpScopes } from '../oauth/scopes.ts';
import { awaitCallback, nextChannel } from './awaitCallback.ts';
import type { OpenChannel } from './channel.ts';
import type { PendingSignIns } from './pending.ts';
import type { BrowserChoices, ShowStage, SignInStage } from './stage.ts';

export interface ConsentParts {
  pending: PendingSignIns;
  /** Opens the authorization URL byte for byte as built; resolves to `false` when the editor did not open it. */
  openBrowser: (url: string) => Promise<boolean>;
  clock: Clock;
  randomness: Randomness;
}

export interface ConsentRequest {
  opened: OpenChannel;
  discovery: Discovery;
  client: Client;
  /** Scopes that the MCP server demanded of the account's token, requested besides those that discovery names (A17). */
  stepUpScopes?: readonly string[];
  hasNextChannel: boolean;
  signal: AbortSignal;
  onStage: ShowStage;
  log: Log;
}

/** The user's consent: a code, and what its exchange needs. */
export interface Consent {
  code: Secret;
  verifier: Secret;
  /** The scopes that were requested. */
  scopes: string[] | undefined;
}

/**
 * Opens the consent page in the browser and waits for the response, or for the user to choose the next channel.
 * @throws Failure as `awaitCallback` does; after the time limit, the reason why a response was refused, if one was
 */
export async function requestConsent(
  { openBrowser, pending, clock, randomness }: ConsentParts,
  request: ConsentRequest,
): Promise<Consent | typeof nextChannel> {
  const { opened, discovery, client, hasNextChannel, signal, onStage, log } = request;
  const scopes = stepUpScopes(discovery.scopes, request.stepUpScopes);
  const authorization = await buildAuthorization(discovery, client, {
    redirectUri: opened.redirectUri,
    ...(scopes && { scopes }),
    randomness,
    prompt: 'consent',
  });
  const { url, verifier } = authorization;
  const { host } = new URL(url);
  const userChoice = Promise.withResolvers<typeof nextChannel>();
  let isWaiting = true;
  let refusal: Failure | undefined;
  const report = (stage: SignInStage): void => {
    if (isWaiting) {
      onStage(stage, host, choices, refusal);
    }
  };
  const open = async (): Promise<void> => {
    report('waitingForBrowser');
    log.info('Opening the consent page in the browser.', { channel: opened.name });
    if (!(await openBrowser(url).catch(() => false))) {
      // The editor's question about external websites results in `false` for Copy, too (microsoft/vscode#207540).
      log.info('The editor did not open the consent page; the sign-in keeps waiting.');
      report('browserNotOpened');
    }
  };
  const choices: BrowserChoices = {
    openAgain: () => void open(),
    ...(hasNextChannel && { tryNextChannel: () => userChoice.resolve(nextChannel) }),
  };
  const onRefused = (failure: Failure): void => {
    refusal = failure;
    report('callbackRefused');
  };
  const waiting = pending.wait(authorization, opened.name, { log, onRefused });
  try {
    const options = { opening: open(), signal, whenNextChannel: userChoice.promise, clock };
    const code = await awaitCallback(waiting, opened, options);
    return code === nextChannel ? nextChannel : { code, verifier, scopes };
  } catch (error) {
    const isTimeLimit = error instanceof Failure && error.details.code === 'browser_limit';
    throw isTimeLimit && refusal !== undefined ? refusal : error;
  } finally {
    isWaiting = false;
    waiting.end();
  }
}
