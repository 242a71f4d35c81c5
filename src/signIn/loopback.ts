import type { Clock } from '../core/clock.ts';
import { toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import type { Admit, Listen, ListenerRequest, ListenerResponse } from '../platform/contract.ts';
import type { OpenChannel, Receive } from './channel.ts';
import type { CompletionPage } from './completionPage.ts';

export interface LoopbackParts {
  listen: Listen;
  completionPage: CompletionPage;
  clock: Clock;
  randomness: Randomness;
  /** The fixed path of a configured client. Otherwise `undefined`, and a random path of 128 bits is used. */
  path: string | undefined;
}

/** How long the browser can still fetch the completion page after the sign-in is over. */
const completionPageLimitMs = 10_000;

/**
 * Opens the loopback channel of RFC 8252, section 7.3: only this machine can reach the redirect URI. The first valid
 * callback is accepted and redirected to an address without a code, so that the code does not stay in the browser's
 * history. Every other request gets an empty 404.
 */
export async function openLoopbackChannel(parts: LoopbackParts): Promise<OpenChannel> {
  const path = parts.path ?? `/${randomName(parts.randomness)}`;
  const completionPagePath = `/${randomName(parts.randomness)}`;
  let receive: Receive | undefined;
  let outcome: 'allowed' | 'declined' | undefined;
  let pageSent = false;
  let signInEnded = false;

  const { port, close } = await parts.listen((request, response, admit) => {
    respond(request, response, admit).catch(() => response.destroy());
  }, parts.clock);
  const host = `127.0.0.1:${port}`;

  async function respond(request: ListenerRequest, response: ListenerResponse, admit: Admit): Promise<void> {
    // A different Host is a name made to resolve to this machine (DNS rebinding); an absolute target is for a proxy.
    const target = request.url ?? '';
    const own = request.method === 'GET' && request.headers.host === host && target.startsWith('/');
    const [requestedPath, query = ''] = target.split('?', 2);
    if (own && requestedPath === completionPagePath && outcome !== undefined) {
      admit();
      const page = await parts.completionPage(outcome);
      response.writeHead(200, { ...quietHeaders, ...page.headers }).end(page.html);
      pageSent = true;
      if (signInEnded) {
        close();
      }
    } else if (own && requestedPath === path && outcome === undefined && (await accept(query))) {
      response.writeHead(303, { ...quietHeaders, location: completionPagePath }).end();
    } else {
      response.writeHead(404, quietHeaders).end();
    }
  }

  async function accept(query: string): Promise<boolean> {
    const result = await receive?.(query);
    if (result === 'accepted' || result === 'declined') {
      outcome = result === 'accepted' ? 'allowed' : 'declined';
    }
    return outcome !== undefined;
  }

  return {
    name: 'loopback',
    redirectUri: `http://${host}${path}`,
    collect: async (receiver) => {
      receive = receiver;
    },
    close: () => {
      signInEnded = true;
      receive = undefined;
      if (outcome === undefined || pageSent) {
        close();
      } else {
        // The browser has not fetched the completion page yet.
        parts.clock.after(completionPageLimitMs, close);
      }
    },
  };
}

/** The address held a code, so it must not be cached or sent on as a referrer. Each response closes its connection. */
const quietHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  connection: 'close',
};

function randomName(randomness: Randomness): string {
  return toHex(randomness.bytes(16));
}
