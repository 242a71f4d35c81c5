import { CancellationTokenSource, commands, LanguageModelTextPart, type LanguageModelToolResult, lm } from 'vscode';
import type { Outcome } from '../../unit/gateway/clientOutcome.ts';
import type { Operation, ResponseRow } from '../../unit/gateway/clientRows.ts';
import type { RowServer } from '../../unit/gateway/rowServer.ts';

/** One of the editor's MCP servers, used as a chat does. */
export class EditorProgram {
  readonly #server: RowServer;
  readonly #id: string;
  readonly #tool: string;
  readonly #limitMs: number;

  /**
   * Uses `server`, directly or through a gateway, as the editor's MCP server `id` with the tool `tool`. A call is
   * without a response after `limitMs`, as the editor has no limit of its own.
   */
  constructor(server: RowServer, id: string, tool: string, limitMs: number) {
    this.#server = server;
    this.#id = id;
    this.#tool = tool;
    this.#limitMs = limitMs;
  }

  /** Starts the server, once the editor has found it. Polls, because the editor has no event for new tools. */
  async toolAppears(): Promise<void> {
    while (!lm.tools.some(({ name }) => name === this.#tool)) {
      await this.#start();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Starts the server and calls its tool, while the server responds to the operation as the row says. */
  async run(row: ResponseRow, operation: Operation): Promise<Outcome> {
    await commands.executeCommand('workbench.mcp.stopServer', this.#id);
    this.#server.play(row, operation);
    await this.#start();
    const { kind, detail } = await this.#call();
    const isRepeated = kind === 'result' && this.#server.handshakes > 1;
    this.#server.beHealthy();
    const next = await this.#call();
    return { kind: isRepeated ? 'new session' : kind, isNextGood: next.kind === 'result', ...(detail && { detail }) };
  }

  async #start(): Promise<void> {
    await commands.executeCommand('workbench.mcp.startServer', this.#id);
  }

  async #call(): Promise<Pick<Outcome, 'kind' | 'detail'>> {
    const source = new CancellationTokenSource();
    const late = Promise.withResolvers<Pick<Outcome, 'kind'>>();
    const timer = setTimeout(() => {
      // The editor does not end every call that is cancelled.
      late.resolve({ kind: 'no response' });
      source.cancel();
    }, this.#limitMs);
    const invocation = lm.invokeTool(this.#tool, { input: {}, toolInvocationToken: undefined }, source.token);
    const outcome = await Promise.race([late.promise, invocation.then(outcomeOfResult, outcomeOfError)]);
    clearTimeout(timer);
    source.dispose();
    return outcome;
  }
}

function outcomeOfResult({ content }: LanguageModelToolResult): Pick<Outcome, 'kind' | 'detail'> {
  const text = content.map((part) => (part instanceof LanguageModelTextPart ? part.value : '')).join('');
  return text === 'done' ? { kind: 'result' } : { kind: 'failure', detail: text };
}

function outcomeOfError(error: unknown): Pick<Outcome, 'kind' | 'detail'> {
  const detail = String(error);
  // The editor writes "MPC" for MCP before the code of a JSON-RPC error.
  return { kind: /M[CP]{2} -?\d+: ./.test(detail) ? 'error' : 'stopped', detail };
}
