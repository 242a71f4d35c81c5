import { setTimeout } from 'node:timers/promises';
import type { Locator } from 'playwright-core';
import type { ConsumerWindow } from '../e2e/testbed.ts';
import type { ModelApis, Script, Turn } from './modelApis.ts';

/** An agent that the editor runs in chat, by the name that it has in commands, with the name that users see. */
export const agents = { copilotcli: 'Copilot', claude: 'Claude', codex: 'Codex' };

export type Agent = keyof typeof agents;

/** How long the editor may take to start its agents. */
const startLimitMs = 60_000;
const pollIntervalMs = 200;
/** How long the editor may take to show a prompt that was sent. */
const submitMs = 5_000;
const maxTries = 5;

/** The chat view of one window, used through its interface. */
export class AgentChat {
  readonly #parts: ConsumerWindow;
  readonly #models: ModelApis;
  readonly #view: Locator;

  constructor(parts: ConsumerWindow, models: ModelApis) {
    this.#parts = parts;
    this.#models = models;
    this.#view = parts.window.page.locator('.interactive-session');
  }

  /** Opens a new session with an agent. @throws Error if the editor does not know the agent after a minute */
  async open(agent: Agent): Promise<void> {
    // The editor's own tools come one by one, and this is the last one. Claude loses a session that it starts meanwhile.
    await this.#parts.consumer.waitForTool('testFailure');
    const command = `workbench.action.chat.openNewChatSessionInPlace.agent-host-${agent}`;
    const limit = performance.now() + startLimitMs;
    // Polls, because the editor has no event for a new command.
    while (!(await this.#tryCommand(command, performance.now() > limit))) {
      await setTimeout(pollIntervalMs);
    }
    // After a restart, the editor may restore a prompt that was sent before.
    await this.#view.locator('.interactive-input-editor').click();
    await this.#parts.window.page.keyboard.press('Control+A');
    await this.#parts.window.page.keyboard.press('Delete');
    await this.#view.getByText(`Chat with ${agents[agent]}`).waitFor();
  }

  /** Sends a prompt in the open session, and waits until the agent has ended its turn. */
  async send(script: Omit<Script, 'prompt'>): Promise<Turn> {
    prompts += 1;
    const prompt = `Prompt ${prompts}.`;
    const turn = this.#models.nextTurn({ ...script, prompt });
    const { page } = this.#parts.window;
    await page.bringToFront();
    await this.#view.locator('.interactive-input-editor').click();
    await page.keyboard.type(prompt);
    const [result] = await Promise.all([turn, this.#submit(prompt)]);
    await this.#view.locator('.chat-execute-toolbar .codicon-arrow-up-compact').waitFor();
    return result;
  }

  /** Presses Enter until the editor has taken the prompt: right after a restart it leaves one in the input. */
  async #submit(prompt: string): Promise<void> {
    const sent = this.#view.locator('.interactive-request', { hasText: prompt });
    const unsent = this.#view.locator('.interactive-input-editor', { hasText: prompt });
    for (let tries = 1; tries <= maxTries; tries += 1) {
      await this.#parts.window.page.keyboard.press('Enter');
      await sent
        .first()
        .waitFor({ timeout: submitMs })
        .catch(() => undefined);
      if ((await sent.count()) > 0 || (await unsent.count()) === 0) {
        return;
      }
    }
  }

  async #tryCommand(command: string, isLastTry: boolean): Promise<boolean> {
    try {
      await this.#parts.consumer.command(command, 'sidebar');
      return true;
    } catch (error) {
      if (isLastTry || !String(error).includes('not found')) {
        throw error;
      }
      return false;
    }
  }
}

let prompts = 0;
