import type { Account } from '../accounts/registry.ts';
import { agentName } from '../agents/agentNames.ts';
import type { Consent } from '../agents/consent.ts';
import type { Clock } from '../core/clock.ts';
import type { DisplayText } from '../core/displayText.ts';
import { errorInfo } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import { l10n } from './messages/l10n.ts';
import { accountName, editorName } from './messages/names.ts';
import { showFailure, showNote } from './messages/show.ts';

export interface AgentConsentParts {
  consent: Pick<Consent, 'permission' | 'questions' | 'takeQuestion' | 'allow' | 'deny' | 'onDidChange'>;
  accounts: { list(): Account[] };
  /** Whether the user looks at this window: of several windows, only that one asks. */
  isFocused: () => boolean;
  clock: Clock;
  log: Log;
}

/** The editor hides a note after so long. An agent that starts sends several requests at once. */
const visibleMs = 10_000;

interface Question {
  agent: string;
  handle: string;
  /** The account's. */
  name: DisplayText;
}

/**
 * Asks the user whether an agent may use an account. Any window may have been called, and while the user works in a
 * terminal none has the focus: the question waits for the first window that gets it.
 */
export class AgentConsent {
  readonly #parts: AgentConsentParts;
  /** The questions that this window has taken, of which the first one is shown. */
  #taken: Question[] = [];
  #shown: { question: Question; atMs: number } | undefined;

  constructor(parts: AgentConsentParts) {
    this.#parts = parts;
    parts.consent.onDidChange(() => void this.askNext());
  }

  /** Asks the questions that wait, one after another, if the user looks at this window. Never rejects. */
  async askNext(): Promise<void> {
    if (!this.#parts.isFocused()) {
      return;
    }
    const isRequested = await this.#take();
    this.#showNext(isRequested);
  }

  /** Takes the questions that wait. @returns whether there are any, also if this window has taken the same before */
  async #take(): Promise<boolean> {
    const { consent, accounts } = this.#parts;
    let isAny = false;
    for (const { grant } of accounts.list()) {
      const handle = grant.serverNames?.handle;
      for (const agent of handle === undefined ? [] : consent.questions(handle)) {
        if (handle !== undefined && (await consent.takeQuestion(handle, agent))) {
          isAny = true;
          if (!this.#taken.some((each) => each.agent === agent && each.handle === handle)) {
            this.#taken.push({ agent, handle, name: accountName(grant) });
          }
        }
      }
    }
    return isAny;
  }

  #showNext(isRequested: boolean): void {
    const { consent, clock } = this.#parts;
    this.#taken = this.#taken.filter(({ handle, agent }) => consent.permission(handle, agent) === 'unknown');
    const [question] = this.#taken;
    const isVisible = clock.monotonicMs() - (this.#shown?.atMs ?? 0) < visibleMs;
    // The editor shows a note that it has hidden again instead of a second one.
    if (question !== undefined && (question !== this.#shown?.question || (isRequested && !isVisible))) {
      void this.#show(question);
    }
  }

  async #show(question: Question): Promise<void> {
    const shown = { question, atMs: this.#parts.clock.monotonicMs() };
    this.#shown = shown;
    let deciding: Promise<void> | undefined;
    const sentence = l10n.t({
      message: '{0} wants to use the Notion account {1} through {2}. Allow it?',
      comment: ['{0} is the name of an agent such as Codex, {1} that of an account, {2} that of the editor.'],
      args: [agentName(question.agent), question.name, editorName()],
    });
    await showNote(
      { sentence, actions: ['allow', 'dontAllow'] },
      {
        allow: () => {
          deciding = this.#decide(question, true);
        },
        dontAllow: () => {
          deciding = this.#decide(question, false);
        },
      },
    );
    await deciding;
    // Otherwise it is only this note that ended, because the same question is shown again.
    if (shown === this.#shown || deciding !== undefined) {
      this.#taken = this.#taken.filter((each) => each !== question);
      this.#showNext(false);
    }
  }

  async #decide(question: Question, isAllowed: boolean): Promise<void> {
    const { consent, log } = this.#parts;
    const { agent, handle } = question;
    try {
      await (isAllowed ? consent.allow(handle, agent) : consent.deny(handle, agent));
      log.info('The user decided about an agent.', { agent, isAllowed });
    } catch (error) {
      log.error('What the user decided about an agent could not be stored.', { agent, ...errorInfo(error) });
      const sentence = l10n.t(
        'Your decision about {0} could not be stored on this computer. Try again.',
        agentName(agent),
      );
      const tryAgain = () => void this.#decide(question, isAllowed);
      void showFailure({ sentence, actions: ['tryAgain', 'showLog'] }, { tryAgain });
    }
  }
}
