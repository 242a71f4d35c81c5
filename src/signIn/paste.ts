import type { Randomness } from '../core/random.ts';
import { Failure } from '../oauth/errors.ts';
import { maxQueryLength } from './callbackQuery.ts';
import type { CallbackResult, OpenChannel, Receive } from './channel.ts';

/** The outcome of a pasted text. */
export type PasteVerdict =
  | CallbackResult
  /** It is the address of a page that comes before the last one, such as Notion's own `/callback`. */
  | 'earlierPage'
  | 'unreadable';

/**
 * Shows the user an input box that passes each submitted text to `judge` and closes once the verdict is `accepted` or
 * `declined`. Resolves to `false` when the user closes the box.
 */
export type PromptForPaste = (judge: (text: string) => Promise<PasteVerdict>, signal: AbortSignal) => Promise<boolean>;

/**
 * Opens the channel that relies on the user alone: the browser is redirected to a loopback address on its own machine
 * where nothing listens, and the user copies that address into the editor. It works when the browser and the editor
 * run on different machines.
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
 * Extracts the callback's query from pasted text, which may be the whole address or only the part with `code` and
 * `state`. Ignores spaces, line breaks, quotation marks and angle brackets around or inside it. Returns `undefined` if
 * the text holds no authorization response or is too long for one.
 */
export function readPasted(text: string): string | undefined {
  if (text.length > maxQueryLength) {
    return undefined;
  }
  const joined = joinedText(text);
  const query = joined.slice(joined.indexOf('?') + 1).split('#')[0] ?? '';
  const names = new Set(query.split('&').map((pair) => pair.split('=')[0]));
  return names.has('state') && (names.has('code') || names.has('error')) ? query : undefined;
}

async function judgePasted(text: string, receive: Receive): Promise<PasteVerdict> {
  const query = readPasted(text);
  const verdict = query === undefined ? 'unreadable' : await receive(query);
  // Notion's own `/callback` has a code and a state, too, but not ours. Some users get stuck there.
  return (verdict === 'unreadable' || verdict === 'foreign') && isWebPage(text) ? 'earlierPage' : verdict;
}

function joinedText(text: string): string {
  return text.replace(/[\s<>"'`“”„‘’]/g, '');
}

/** Whether the text is the address of a page that is not on the user's own machine. */
function isWebPage(text: string): boolean {
  const joined = text.length > maxQueryLength ? '' : joinedText(text);
  const { protocol, hostname } = URL.canParse(joined) ? new URL(joined) : { protocol: '', hostname: '' };
  return (protocol === 'https:' || protocol === 'http:') && hostname !== '127.0.0.1';
}

/** Picks a random port from the dynamic range, to which no service is assigned (RFC 6335, section 6). */
function randomPort(randomness: Randomness): number {
  const [high = 0, low = 0] = randomness.bytes(2);
  return 49_152 + (((high << 8) | low) % (65_536 - 49_152));
}
