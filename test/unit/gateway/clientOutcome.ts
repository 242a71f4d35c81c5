/** What can become of a client's request, from best to worst. */
const ranks = {
  result: 6,
  /** The client opened a new session and repeated the request in it. */
  'new session': 5,
  /** A JSON-RPC error, whose sentence a model or user can read. */
  error: 4,
  /** The client threw an error of its own. */
  failure: 3,
  /** The client gave up its connection to the server, and with it all requests under way. */
  stopped: 2,
  /** The request stays without a response. */
  'no response': 1,
} as const;

export interface Outcome {
  kind: keyof typeof ranks;
  /** Whether the next call succeeds. */
  isNextGood: boolean;
  /** What the client said, for the message of a failed test. */
  detail?: string;
}

/** The outcomes of an operation in a row. */
export interface Outcomes {
  direct: Outcome;
  gateway: Outcome;
}

/** Whether what happens through the gateway is the same as what happens directly, or better. */
export function isNoWorse({ direct, gateway }: Outcomes): boolean {
  return ranks[gateway.kind] >= ranks[direct.kind] && (gateway.isNextGood || !direct.isNextGood);
}

/** Whether the client gets a response through the gateway, if only an error with a sentence, and can go on. */
export function hasResponse({ gateway: { kind, isNextGood } }: Outcomes): boolean {
  return ranks[kind] >= ranks.error && isNextGood;
}

/** The outcomes as in the table in CONTRIBUTING.md. */
export function describeOutcomes({ direct, gateway }: Outcomes): string {
  const [before, after] = [direct, gateway].map(({ kind, isNextGood }) => (isNextGood ? kind : `${kind}, next fails`));
  return before === after ? `${before}` : `${before} → ${after}`;
}

/**
 * Reads the table in CONTRIBUTING.md: the outcomes of each row's tool call. A line of it stands for all rows that have
 * these outcomes. Returns undefined if the table has no column for the client, e.g. `VS Code 1.139`.
 */
export function documentedOutcomes(markdown: string, client: string): Record<string, string> | undefined {
  const lines = markdown.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const first = lines.findIndex((cells) => cells.includes(client));
  const table = lines.slice(
    first + 2,
    lines.findIndex((cells, line) => line > first && cells.length === 1),
  );
  const column = lines[first]?.indexOf(client) ?? 0;
  return first === -1
    ? undefined
    : Object.fromEntries(
        table.flatMap((cells) => (cells[1] ?? '').split('; ').map((title) => [title, cells[column] ?? ''])),
      );
}
