import { type Log, traitsOf } from '../core/log.ts';
import { unforeseenMessage } from './messages/failure.ts';
import { showFailure } from './messages/show.ts';

/** Does what a person asked for; what nobody foresaw is logged and said in place of the editor's own words. */
export async function told(log: Log, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    log.error('Something failed in an unforeseen way.', traitsOf(error));
    void showFailure(unforeseenMessage(), { tryAgain: () => void told(log, action) });
  }
}
