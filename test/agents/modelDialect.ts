/** A tool that an agent offers to the model. */
export interface OfferedTool {
  name: string;
  /** The group of tools that it belongs to, where the protocol has groups. */
  namespace?: string;
}

/** What the model does next: call tools, or say something and end its turn. */
export type Move = { calls: readonly OfferedTool[]; input: object } | { text: string };

/** One of the protocols in which agents talk to a model. */
export interface ModelDialect {
  /** The path of its requests. */
  path: RegExp;
  /** Whether a request is to be responded to with events. */
  wantsEvents(path: string, body: object): boolean;
  offeredTools(body: unknown): OfferedTool[];
  /** The results of the tools that the model has just called, as text; empty if its turn begins. */
  toolResults(body: unknown): string[];
  /** The response as server-sent events, each the data and, where the protocol has them, the event's name. */
  events(move: Move, model: string): { name?: string; data: object | '[DONE]' }[];
  /** The whole response to a request that wants no events. */
  whole(text: string, model: string): object;
}

/** As most protocols tell it. */
export function wantsEvents(_path: string, body: { stream?: boolean }): boolean {
  return body.stream === true;
}

/** A new id for a part of a response. */
export function newId(prefix: string): string {
  lastId += 1;
  return `${prefix}_${lastId}`;
}

let lastId = 0;

/** The text of a message's content, which is a string or a list of parts. */
export function textOf(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content ?? '');
}
