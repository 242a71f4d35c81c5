import type { PendingSignIns } from '../signIn/pending.ts';

/**
 * Returns what receives the callbacks that arrive at the editor's URI handler. If the sign-in of one has ended or belongs
 * to another window, the user is told by `show`, each time: a note may have gone from the screen without being closed,
 * and the editor itself replaces an equal one. A refused one is told by its sign-in; a repeated one is of no interest,
 * and a forged one must have no effect.
 */
export function callbackReceiver(
  pending: Pick<PendingSignIns, 'receive' | 'isWaiting'>,
  show: (result: 'ended' | 'otherWindow', isAnotherWaiting: boolean) => void,
): (query: string) => Promise<void> {
  return async (query) => {
    const result = await pending.receive(query);
    if (result === 'ended' || result === 'otherWindow') {
      show(result, pending.isWaiting);
    }
  };
}
