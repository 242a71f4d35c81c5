import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { anthropicMessages } from './anthropicMessages.ts';
import { chatCompletions } from './chatCompletions.ts';
import { accountResponse } from './copilotAccount.ts';
import { geminiContents } from './geminiContents.ts';
import type { ModelDialect, Move } from './modelDialect.ts';
import { openAiResponses } from './openAiResponses.ts';

/** What the model does when it reads a prompt. */
export interface Script {
  /** Occurs in no other prompt. */
  prompt: string;
  /** The model calls each tool whose name matches, once. */
  tool: RegExp;
  input: object;
}

/** What the model saw of a turn. */
export interface Turn {
  /** The names of all tools that the agent offered when the turn began. */
  offered: string[];
  /** The results of the tools that the model called, as text. */
  results: string[];
}

const turnLimitMs = 60_000;
const dialects = [chatCompletions, anthropicMessages, openAiResponses, geminiContents];

/** On 127.0.0.1: GitHub's and Copilot's API for an account, and models that follow a script. */
export class ModelApis {
  readonly #server: Server;
  #script: Script | undefined;
  #offered: string[] = [];
  #finish: ((turn: Turn) => void) | undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<ModelApis> {
    const apis = new ModelApis();
    await new Promise<void>((resolve) => apis.#server.listen(0, '127.0.0.1', resolve));
    return apis;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * Waits for the next turn, whose prompt the caller sends, and replaces the script of the previous one.
   * @throws Error if the turn has not ended after a minute
   */
  nextTurn(script: Script): Promise<Turn> {
    this.#script = script;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no agent ended the turn of ${script.prompt}`)), turnLimitMs);
      this.#finish = (turn) => {
        clearTimeout(timer);
        resolve(turn);
      };
    });
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '', this.url).pathname;
    const content = await text(request);
    const dialect = dialects.find((each) => each.path.test(path));
    if (dialect === undefined) {
      const body = accountResponse(path, this.url);
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body ?? { message: 'Not Found' }));
      return;
    }
    const body = JSON.parse(content) as { model: string };
    if (!dialect.wantsEvents(path, body)) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(dialect.whole('Done.', body.model)));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const { name, data } of dialect.events(this.#move(dialect, body, content), body.model)) {
      const event = name === undefined ? '' : `event: ${name}\n`;
      response.write(`${event}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    }
    response.end();
  }

  #move(dialect: ModelDialect, body: object, content: string): Move {
    const offered = dialect.offeredTools(body);
    const script = this.#script;
    const end: Move = { text: 'Done.' };
    // An agent also sends its prompt to a model without tools, for a title.
    if (script === undefined || offered.length === 0 || !content.includes(script.prompt)) {
      return end;
    }
    const results = dialect.toolResults(body);
    if (results.length === 0) {
      this.#offered = offered.map(({ namespace, name }) => (namespace === undefined ? name : `${namespace}__${name}`));
    }
    const calls = offered.filter(({ name }) => script.tool.test(name));
    if (results.length === 0 && calls.length > 0) {
      return { calls, input: script.input };
    }
    this.#finish?.({ offered: this.#offered, results });
    return end;
  }
}
