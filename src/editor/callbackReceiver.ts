import type { PendingSignIns } from '../signIn/pending.ts';

/**
 * Returns what receives the callbacks that arrive at the editor's URI handler. If the sign-in of one has ended, the user
 * is told by `showEnded`, whose note is not shown again while it is open, however many such links come.
 */
export function callbackReceiver(
  pending: Pick<PendingSignIns, 'receive' | 'isWaiting'>,
  showEnded: (isAnotherWaiting: boolean) => Promise<void>,
): (query: string) => Promise<void> {
  let isShown = false;
  return async (query) => {
    if ((await pending.receive(query)) !== 'ended' || isShown) {
      return;
    }
    isShown = true;
    void showEnded(pending.isWaiting).finally(() => {
      isShown = false;
    });
  };
}
