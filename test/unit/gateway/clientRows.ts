import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

/** A message of a client by its method, or its GET request for the server's own messages. */
export type Operation = 'initialize' | 'notifications/initialized' | 'tools/list' | 'tools/call' | 'GET';

/** A request to which the server responds in an unusual way. */
export interface Exchange {
  response: ServerResponse;
  /** The JSON-RPC message that a healthy server would send: a response, or on a GET stream a notification. */
  message: object;
  /** How often the request has been seen before. */
  before: number;
  /** The URL of a server on another origin. */
  elsewhere: string;
}

/** An unusual response of the MCP server. */
export interface ResponseRow {
  /** Identifies the row in CONTRIBUTING.md. */
  title: string;
  /** Whether the server opens a session, in which the client then is. */
  session?: true;
  /** The attempt to resume the events (`Last-Event-ID`) that gets the rest of them; by default none does. */
  resumedAt?: number;
  /** What clients decode in another thread, so that a later response may reach its caller first. */
  compressed?: 'JSON' | 'events';
  respond(exchange: Exchange): void;
}

const ofEvents = 'text/event-stream; charset=utf-8';

/** The rows of the table in CONTRIBUTING.md. */
export const rows: readonly ResponseRow[] = [
  ...(
    [
      ['200, JSON', 'application/json'],
      ['200, JSON as `Application/JSON;charset=UTF-8`', 'Application/JSON;charset=UTF-8'],
      ['200, JSON without a content type', null],
      ['200, JSON as `text/plain`', 'text/plain'],
      ['200, JSON as `text/json;charset=utf-8`', 'text/json;charset=utf-8'],
      ['200, JSON as `application/vnd.x+json`', 'application/vnd.x+json'],
    ] as const
  ).map(([title, type]) => row(title, ({ response, message }) => sendJson(response, 200, message, type))),
  row('201, JSON', ({ response, message }) => sendJson(response, 201, message)),
  compressed('200, JSON in gzip', 'JSON', ({ response, message }) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    response.writeHead(200, headers).end(gzipSync(JSON.stringify(message)));
  }),
  row('200, JSON after a byte order mark', ({ response, message }) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(`\ufeff${JSON.stringify(message)}`);
  }),
  row('200, JSON in an array', ({ response, message }) => sendJson(response, 200, [logged, message])),
  row('200, JSON of another id', ({ response, message }) => sendJson(response, 200, { ...message, id: 'another' })),
  row('200, JSON-RPC error', ({ response, message }) => sendJson(response, 200, withError(message))),
  row('200, half a JSON', ({ response, message }) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(half(message));
  }),
  row('200, JSON that breaks off', ({ response, message }) => breakOff(response, 'application/json', half(message))),
  row('200, HTML', ({ response }) => sendHtml(response, 200)),
  row('200, empty', ({ response }) => end(response, 200)),
  row('202', ({ response }) => end(response, 202)),
  row('204', ({ response }) => end(response, 204)),
  row('200, events', ({ response, message }) => sendEvents(response, event(logged) + event(message))),
  row('200, events with CR LF', ({ response, message }) =>
    sendEvents(response, event(message).replaceAll('\n', '\r\n')),
  ),
  row('200, events with CR', ({ response, message }) => {
    // A parser waits for what follows a CR, as it may be LF.
    sendEvents(response, `${event(message)}: end`.replaceAll('\n', '\r'));
  }),
  row('200, events over several lines', ({ response, message }) => {
    sendEvents(response, `data: ${JSON.stringify(message, null, 1).replaceAll('\n', '\ndata: ')}\n\n`);
  }),
  compressed('200, events in gzip', 'events', ({ response, message }) => {
    response.writeHead(200, { 'content-type': ofEvents, 'content-encoding': 'gzip' }).end(gzipSync(event(message)));
  }),
  row('200, events without a content type', ({ response, message }) => response.writeHead(200).end(event(message))),
  row('200, events as `text/plain`', ({ response, message }) =>
    response.writeHead(200, { 'content-type': 'text/plain' }).end(event(message)),
  ),
  row('200, events with two responses', ({ response, message }) => sendEvents(response, event(message).repeat(2))),
  row('200, events that break off after the response', ({ response, message }) =>
    breakOff(response, ofEvents, event(message)),
  ),
  row('200, events that end without the response', ({ response }) => sendEvents(response, ': comment\n\n')),
  row('200, events that break off', ({ response }) => breakOff(response, ofEvents, ': comment\n\n')),
  inSession('events that end without the response, in a session', ({ response }) =>
    sendEvents(response, ': comment\n\n'),
  ),
  inSession('events that break off, in a session', ({ response }) => breakOff(response, ofEvents, ': comment\n\n')),
  resumable('events that break off and can be resumed', 1, ({ response }) =>
    breakOff(response, ofEvents, primingEvent),
  ),
  resumable('events that end and can be resumed', 1, ({ response }) => sendEvents(response, primingEvent)),
  resumable('events that can be resumed at the second attempt', 2, ({ response }) =>
    breakOff(response, ofEvents, primingEvent),
  ),
  resumable('events that cannot be resumed', undefined, ({ response }) => breakOff(response, ofEvents, primingEvent)),
  {
    ...resumable('events that break off and can be resumed, in a session', 1, ({ response }) =>
      breakOff(response, ofEvents, primingEvent),
    ),
    session: true,
  },
  ...[301, 302, 303, 307, 308].map((status) =>
    row(`${status}, same origin`, ({ response }) => response.writeHead(status, { location: '/moved' }).end()),
  ),
  row('307, another origin', ({ response, elsewhere }) => response.writeHead(307, { location: elsewhere }).end()),
  ...[400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 429, 500, 503].map((status) =>
    row(`${status}`, ({ response }) => end(response, status)),
  ),
  row('400, JSON-RPC error', ({ response, message }) => sendJson(response, 400, withError(message))),
  row('429 once, `Retry-After: 0`', ({ response, message, before }) => {
    if (before === 0) {
      response.writeHead(429, { 'retry-after': '0' }).end();
    } else {
      sendJson(response, 200, message);
    }
  }),
  row('502, HTML', ({ response }) => sendHtml(response, 502)),
  row('closed without a response', ({ response }) => response.destroy()),
  inSession('400 in a session', ({ response }) => end(response, 400)),
  inSession('404 in a session', ({ response }) => end(response, 404)),
];

export const toolsChanged = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
const logged = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'debug', data: 'logged' } };
/** By it a client can resume the events, soon. */
const primingEvent = 'id: 1\nretry: 1\ndata:\n\n';

function row(title: string, respond: ResponseRow['respond']): ResponseRow {
  return { title, respond };
}

function compressed(title: string, what: 'JSON' | 'events', respond: ResponseRow['respond']): ResponseRow {
  return { title, compressed: what, respond };
}

function inSession(title: string, respond: ResponseRow['respond']): ResponseRow {
  return { title, session: true, respond };
}

function resumable(title: string, resumedAt: number | undefined, respond: ResponseRow['respond']): ResponseRow {
  return { title, respond, ...(resumedAt !== undefined && { resumedAt }) };
}

export function event(message: object): string {
  return `data: ${JSON.stringify(message)}\n\n`;
}

function half(message: object): string {
  const text = JSON.stringify(message);
  return text.slice(0, text.length / 2);
}

function withError(message: object): object {
  return { ...message, result: undefined, error: { code: -32602, message: 'no such tool' } };
}

export function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: object,
  type: string | null = 'application/json',
): void {
  response.writeHead(status, type === null ? {} : { 'content-type': type }).end(JSON.stringify(value));
}

function sendHtml(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html' }).end('<html>Please sign in to the network.</html>');
}

export function sendEvents(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': ofEvents }).end(text);
}

function breakOff(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { 'content-type': type }).write(text, () => response.destroy());
}
