import type { Randomness } from '../core/random.ts';
import { Failure } from '../oauth/errors.ts';
import type { CallbackResult, OpenChannel, Receive } from './channel.ts';

/** What became of a pasted text. */
export type PasteVerdict = CallbackResult | 'unreadable';

/**
 * Shows the person an input that hands each text to `judge` and closes once the verdict is `accepted` or `declined`.
 * Resolves to `false` when the person closes it.
 */
export type PromptForPaste = (judge: (text: string) => Promise<PasteVerdict>, signal: AbortSignal) => Promise<boolean>;

/**
 * The channel that needs nothing but the person: the browser ends on an address of its own machine where nobody
 * listens, and the person brings that address back. Works when browser and editor are on different machines.
 */
export function openPasteChannel(promptForPaste: PromptForPaste, randomness: Randomness): OpenChannel {
  return {
    name: 'paste',
    redirectUri: `http://127.0.0.1:${randomPort(randomness)}/callback`,
    collect: async (receive, signal) => {
      if (!(await promptForPaste((text) => judgePasted(text, receive), signal))) {
        throw new Failure('cancelled', { step: 'authorization', code: 'cancelled' });
      }
    },
    close: () => undefined,
  };
}

/**
 * The query in what was pasted: the address of the page, or only the part with `code` and `state`. Forgiving about
 * spaces, line breaks, quotation marks and angle brackets around or inside it; `undefined` where there is no answer.
 */
export function readPasted(text: string): string | undefined {
  const joined = text.replace(/[\s<>"'`“”„‘’]/g, '');
  const query = joined.slice(joined.indexOf('?') + 1).split('#')[0] ?? '';
  const names = new Set(query.split('&').map((pair) => pair.split('=')[0]));
  return names.has('state') && (names.has('code') || names.has('error')) ? query : undefined;
}

async function judgePasted(text: string, receive: Receive): Promise<PasteVerdict> {
  const query = readPasted(text);
  return query === undefined ? 'unreadable' : receive(query);
}

/** A port of the range that no service is assigned to (RFC 6335, section 6), another one each time. */
function randomPort(randomness: Randomness): number {
  const [high = 0, low = 0] = randomness.bytes(2);
  return 49_152 + (((high << 8) | low) % (65_536 - 49_152));
}
