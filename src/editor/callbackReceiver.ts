import type { PendingSignIns } from '../signIn/pending.ts';

/**
 * Returns what receives the callbacks that arrive at the editor's URI handler. If the sign-in of one has ended or belongs
 * to another window, the user is told by `show`, whose note is not shown again while it is open, however many such links
 * come. A refused one is told by its sign-in; a repeated one is of no interest, and a forged one must have no effect.
 */
export function callbackReceiver(
  pending: Pick<PendingSignIns, 'receive' | 'isWaiting'>,
  show: (result: 'ended' | 'otherWindow', isAnotherWaiting: boolean) => Promise<void>,
): (query: string) => Promise<void> {
  let isShown = false;
  return async (query) => {
    const result = await pending.receive(query);
    if ((result !== 'ended' && result !== 'otherWindow') || isShown) {
      return;
    }
    isShown = true;
    void show(result, pending.isWaiting).finally(() => {
      isShown = false;
    });
  };
}
