import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';
import { toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import type { OpenChannel, Receive } from './channel.ts';
import type { CompletionPage } from './completionPage.ts';

/** Listens on 127.0.0.1 at a free port; `close` lets answers that are under way end. */
export type Listen = (
  handle: (request: IncomingMessage, response: ServerResponse) => void,
) => Promise<{ port: number; close: () => void }>;

export interface LoopbackParts {
  listen: Listen;
  completionPage: CompletionPage;
  clock: Clock;
  randomness: Randomness;
  /** Only a configured client has a path of its own; else it is as hard to guess as the state. */
  path: string | undefined;
}

/** How long the page that people see last may still be fetched once its sign-in is over. */
const completionPageLimitMs = 10_000;

/**
 * The channel of RFC 8252, section 7.3: the browser answers to this machine alone. The first valid answer wins and
 * is led on to an address without a code, so that none stays in the history; everything else gets an empty 404.
 */
export async function openLoopbackChannel(parts: LoopbackParts): Promise<OpenChannel> {
  const path = parts.path ?? `/${randomName(parts.randomness)}`;
  const completionPagePath = `/${randomName(parts.randomness)}`;
  let receive: Receive | undefined;
  let outcome: 'allowed' | 'declined' | undefined;
  let shown = false;
  let ended = false;

  const { port, close } = await parts.listen((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const host = `127.0.0.1:${port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Another Host is a name that was made to point here (DNS rebinding); an absolute form is meant for a proxy.
    const target = request.url ?? '';
    const own = request.method === 'GET' && request.headers.host === host && target.startsWith('/');
    const [asked, query = ''] = target.split('?', 2);
    if (own && asked === completionPagePath && outcome !== undefined) {
      const page = await parts.completionPage(outcome);
      response.writeHead(200, { ...quietHeaders, ...page.headers }).end(page.html);
      shown = true;
      if (ended) {
        close();
      }
    } else if (own && asked === path && outcome === undefined && (await accept(query))) {
      response.writeHead(303, { ...quietHeaders, location: completionPagePath }).end();
    } else {
      response.writeHead(404, quietHeaders).end();
    }
  }

  async function accept(query: string): Promise<boolean> {
    const reception = await receive?.(query);
    if (reception === 'accepted' || reception === 'declined') {
      outcome = reception === 'accepted' ? 'allowed' : 'declined';
    }
    return outcome !== undefined;
  }

  return {
    name: 'loopback',
    redirectUri: `http://${host}${path}`,
    collect: async (given) => {
      receive = given;
    },
    close: () => {
      ended = true;
      receive = undefined;
      if (outcome === undefined || shown) {
        close();
      } else {
        // The browser has yet to be shown how it ended.
        parts.clock.after(completionPageLimitMs, close);
      }
    },
  };
}

/** The address held a code: it is neither kept nor passed on. One page, one connection. */
const quietHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  connection: 'close',
};

function randomName(randomness: Randomness): string {
  return toHex(randomness.bytes(16));
}
