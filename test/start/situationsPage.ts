import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { escaped, page } from '../notion/page.ts';
import type { NotionServer } from '../notion/server.ts';
import { type Situation, situationsOf } from './situations.ts';

const host = '127.0.0.2';

export interface SituationsPage {
  address: string;
  close(): Promise<void>;
}

/** Serves a page with a button for each situation, on a port of its own, as the server itself can be down. */
export async function serveSituations(notion: NotionServer): Promise<SituationsPage> {
  const situations = situationsOf(notion);
  const server = createServer((request, response) => {
    respond(request, response, situations).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://${host}:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  situations: Record<string, Situation>,
): Promise<void> {
  if (request.method === 'POST') {
    const form = new URLSearchParams(await text(request));
    await situations[form.get('begin') ?? '']?.begin();
    await situations[form.get('end') ?? '']?.lasting?.end();
    // A reload of the page then does not repeat it.
    response.writeHead(303, { location: '/' }).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(situationsPage(situations));
}

function situationsPage(situations: Record<string, Situation>): string {
  const rows = Object.entries(situations).map(([name, { title, toSee, lasting }]) => {
    const isOn = lasting?.isOn() === true;
    const button = isOn
      ? `<button name="end" value="${name}">End: ${escaped(title)}</button>`
      : `<button name="begin" value="${name}">${escaped(title)}</button>`;
    return `<fieldset>
      <div class="actions">${button}</div>
      <p>${escaped(toSee)}</p>
    </fieldset>`;
  });
  return page(
    'What can go wrong',
    `<h1>What can go wrong</h1>
    <p>Each button brings the server into a situation. The line below it says how to see that in the editor.</p>
    <form method="post" action="/">${rows.join('')}</form>`,
  );
}
