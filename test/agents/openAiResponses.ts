import { type ModelDialect, newId, textOf, wantsEvents } from './modelDialect.ts';

interface Body {
  /** A tool may be a group of tools. */
  tools?: { name?: string; tools?: { name: string }[] }[];
  input: string | { type?: string; role?: string; output?: unknown }[];
}

/** OpenAI's newer protocol, which Codex uses. */
export const openAiResponses: ModelDialect = {
  path: /\/responses$/,
  wantsEvents,
  offeredTools: (body) =>
    ((body as Body).tools ?? []).flatMap(({ name, tools }) =>
      tools === undefined
        ? name === undefined
          ? []
          : [{ name }]
        : tools.map((tool) => ({ name: tool.name, ...(name !== undefined && { namespace: name }) })),
    ),
  toolResults: (body) => {
    const { input } = body as Body;
    const items = typeof input === 'string' ? [] : input;
    const turn = items.slice(items.findLastIndex(({ role }) => role === 'user') + 1);
    return turn.filter(({ type }) => type === 'function_call_output').map(({ output }) => textOf(output));
  },
  events: (move, model) => {
    const output = 'text' in move ? [message(move.text)] : move.calls.map(functionCall(move.input));
    const response = envelope(model, output);
    return [
      { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
      ...output.flatMap((item, output_index) => [
        { type: 'response.output_item.added', output_index, item },
        { type: 'response.output_item.done', output_index, item },
      ]),
      { type: 'response.completed', response },
    ].map((data) => ({ name: data.type, data }));
  },
  whole: (text, model) => envelope(model, [message(text)]),
};

const usage = {
  ...{ input_tokens: 1, input_tokens_details: { cached_tokens: 0 } },
  ...{ output_tokens: 1, output_tokens_details: { reasoning_tokens: 0 } },
  total_tokens: 2,
};

const envelope = (model: string, output: object[]) => ({
  ...{ id: newId('resp'), object: 'response', status: 'completed' },
  ...{ model, output, usage },
});

const message = (text: string) => ({
  ...{ type: 'message', id: newId('msg'), role: 'assistant', status: 'completed' },
  content: [{ type: 'output_text', text, annotations: [] }],
});

const functionCall = (input: object) => (tool: object) => ({
  ...{ type: 'function_call', id: newId('fc'), call_id: newId('call'), status: 'completed' },
  ...tool,
  arguments: JSON.stringify(input),
});
