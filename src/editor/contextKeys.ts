import { commands } from 'vscode';
import type { Account } from '../accounts/registry.ts';
import type { Consent } from '../agents/consent.ts';
import { editorAgent } from '../gateway/contract.ts';
import { isUsable } from './sessions.ts';

/**
 * The context keys of this window. `notionMcp.signedIn` and `notionMcp.accountCount` are for `when` clauses, also of other
 * extensions, as the README describes; an account counts if a session can be had of it without the user. The walkthrough
 * tests these and the others. Only while it is shown, as the editor ignores a key that was true before it knew the
 * walkthrough.
 */
export class ContextKeys {
  readonly #values = new Map<string, boolean | number>();

  /** Sets what has changed. To be called when the accounts or what agents do with them may have changed. */
  update(accounts: readonly Account[], consent: Pick<Consent, 'uses'> | undefined): void {
    const { length } = accounts.filter(isUsable);
    const uses = accounts.flatMap(
      ({ grant: { serverNames } }) => (serverNames && consent?.uses(serverNames.handle)) ?? [],
    );
    this.#set('signedIn', length > 0);
    this.#set('accountCount', length);
    this.#set(
      'usedInChat',
      uses.some(({ agent, usedAtMs }) => agent === editorAgent && usedAtMs !== undefined),
    );
    this.#set(
      'agentConnected',
      uses.some(({ agent, permission }) => agent !== editorAgent && permission === 'allowed'),
    );
  }

  #set(name: string, value: boolean | number): void {
    if (this.#values.get(name) !== value) {
      this.#values.set(name, value);
      void commands.executeCommand('setContext', `notionMcp.${name}`, value);
    }
  }
}
