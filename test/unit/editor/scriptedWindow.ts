import type { TestContext } from 'node:test';
import type { Accounts } from '../../../src/accounts/accounts.ts';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { SignInHistory } from '../../../src/diagnostics/signInHistory.ts';
import type { SignInFlow } from '../../../src/editor/signInFlow.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { Failure, type FailureDetails, type FailureKind } from '../../../src/oauth/errors.ts';
import type { SignInResult } from '../../../src/signIn/exchange.ts';
import type { SignIn, SignInRequest } from '../../../src/signIn/signIn.ts';
import { StepUps } from '../../../src/signIn/stepUps.ts';
import { files, Machine, type Window, type WindowOptions } from '../accounts/machine.ts';
import { FakeClock } from '../fakeClock.ts';
import { commands, MemoryMemento, openEditor } from './vscode.ts';

const signInFlow = await import('../../../src/editor/signInFlow.ts');
const { signInAttemptsIn } = await import('../../../src/editor/globalState.ts');

/** Opens the only window of a machine. Without others to hear of, it reads the storage only when a test makes it. */
export async function openOnlyWindow(t: TestContext, options: WindowOptions = {}) {
  const machine = await Machine.start(t);
  machine.secrets.announces = false;
  const withoutWatch = { ...files, watch: () => ({ close: () => undefined }) };
  return { machine, window: await machine.open({ files: withoutWatch, ...options }) };
}

/** The command of the editor that opens its chat. */
export const openChatCommand = 'workbench.action.chat.open';

/** The host of the server of each sign-in, and the scopes of an ordinary one. */
export const host = 'mcp.example';
export const scopes = ['default'];

/** The course of one sign-in. */
export type Course = (request: SignInRequest) => Promise<SignInResult>;

/** A sign-in that fails. */
export function fails(kind: FailureKind, code: FailureDetails['code']): Course {
  return () => Promise.reject(new Failure(kind, { step: 'authorization', code, host }));
}

/** A window of the editor with real accounts. The test decides what becomes of each sign-in. */
export class ScriptedWindow {
  readonly machine: Machine;
  readonly editor = openEditor();
  readonly memory = new MemoryMemento();
  /** The clock of progress notifications; the accounts have the machine's. */
  readonly clock = new FakeClock();
  readonly stepUps = new StepUps(this.clock);
  readonly logLines: string[] = [];
  readonly log: Log;
  /** The courses of the next sign-ins; without one, a sign-in succeeds for `ada`. */
  readonly next: Course[] = [];
  /** The sign-ins that were requested. */
  readonly requests: SignInRequest[] = [];
  /** Whether the computer has agents, and none of them is connected. */
  hasUnusedAgents = false;
  readonly history = new SignInHistory(signInAttemptsIn(this.memory), this.clock);
  readonly flow: SignInFlow;
  readonly #window: Window;

  private constructor(machine: Machine, window: Window) {
    this.machine = machine;
    this.#window = window;
    const line = (text: string) => void this.logLines.push(text);
    this.log = new Log({ error: line, warn: line, info: line, debug: line });
    this.flow = this.#openFlow();
  }

  static async open(t: TestContext, options: WindowOptions = {}): Promise<ScriptedWindow> {
    const { machine, window } = await openOnlyWindow(t, options);
    return new ScriptedWindow(machine, window);
  }

  /** A window of an editor that has chat. */
  static async openWithChat(t: TestContext): Promise<ScriptedWindow> {
    const window = await ScriptedWindow.open(t);
    commands.registerCommand(openChatCommand, () => undefined);
    return window;
  }

  get accounts(): Accounts {
    return this.#window.accounts;
  }

  get labels(): string[] {
    return this.#window.labels;
  }

  waitForEvent(event: string): Promise<void> {
    return this.#window.waitForEvent(event);
  }

  #openFlow(): SignInFlow {
    const signIn: Pick<SignIn, 'run'> = {
      run: async (request) => {
        this.requests.push(request);
        return (this.next.shift() ?? this.as('ada'))(request);
      },
    };
    const { accounts, stepUps, history, clock, log } = this;
    return new signInFlow.SignInFlow({
      ...{ signIn: signIn as SignIn, accounts, stepUps, history, clock, randomness: systemRandomness, log },
      hasUnusedAgents: async () => this.hasUnusedAgents,
    });
  }

  /** A sign-in that succeeds for this user; without one, for a user whose identity remains unknown. */
  as(user?: string): Course {
    return ({ scopes }) => this.accounts.storeSignIn({ ...this.machine.server.signIn(user), askedScopes: [...scopes] });
  }

  /** An account that is signed in already, without a message. */
  async signedIn(user?: string): Promise<Grant> {
    return (await this.accounts.storeSignIn(this.machine.server.signIn(user))).grant;
  }

  /** Lets Notion end a grant that is old enough to end without a confirmation. The window does not know it yet. */
  endAtNotion(grant: Grant): void {
    this.machine.clock.aheadMs += 10 * 60_000;
    this.machine.server.end(grant);
  }

  /** Lets Notion end a grant, and the window notice it. */
  async end({ id }: Pick<Grant, 'id'>): Promise<void> {
    const account = this.accounts.find(id);
    if (account !== undefined) {
      this.endAtNotion(account.grant);
      await this.accounts.renew(id, { reason: 'asked' }).catch(() => undefined);
    }
  }

  /** Lets Notion refuse to renew an account, which it does not end. */
  async refuse(grantId: string): Promise<void> {
    this.machine.server.next.push(() => {
      throw new Failure('serverRejected', { step: 'token', code: 'invalid_scope', status: 400, host });
    });
    await this.accounts.renew(grantId, { reason: 'asked' }).catch(() => undefined);
  }

  /** The text of the oldest message that the test has not read; waits for it if there is none yet. */
  async message(): Promise<string> {
    return (await this.editor.messages.take()).text;
  }

  /** Picks a button of the oldest message that the test has not read; without one, closes the message. */
  async pick(button?: string): Promise<void> {
    (await this.editor.messages.take()).pick(button);
  }
}
