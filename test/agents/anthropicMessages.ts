import { type ModelDialect, newId, textOf, wantsEvents } from './modelDialect.ts';

interface Body {
  tools?: { name: string }[];
  messages: { role: string; content: string | { type: string; content?: unknown }[] }[];
}

/** Anthropic's protocol, which Claude uses. */
export const anthropicMessages: ModelDialect = {
  path: /\/v1\/messages$/,
  wantsEvents,
  offeredTools: (body) => ((body as Body).tools ?? []).map(({ name }) => ({ name })),
  toolResults: (body) => {
    const content = (body as Body).messages.at(-1)?.content ?? '';
    const parts = typeof content === 'string' ? [] : content;
    return parts.filter(({ type }) => type === 'tool_result').map((part) => textOf(part.content));
  },
  events: (move, model) => {
    const blocks =
      'text' in move
        ? [{ start: { type: 'text', text: '' }, delta: { type: 'text_delta', text: move.text } }]
        : move.calls.map(({ name }) => ({
            start: { type: 'tool_use', id: newId('toolu'), name, input: {} },
            delta: { type: 'input_json_delta', partial_json: JSON.stringify(move.input) },
          }));
    const message = { ...envelope(model), content: [], stop_reason: null };
    return [
      { type: 'message_start', message },
      ...blocks.flatMap(({ start, delta }, index) => [
        { type: 'content_block_start', index, content_block: start },
        { type: 'content_block_delta', index, delta },
        { type: 'content_block_stop', index },
      ]),
      { type: 'message_delta', delta: { stop_reason: 'text' in move ? 'end_turn' : 'tool_use' }, usage },
      { type: 'message_stop' },
    ].map((data) => ({ name: data.type, data }));
  },
  whole: (text, model) => ({
    ...envelope(model),
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
  }),
};

const usage = { input_tokens: 1, output_tokens: 1 };

const envelope = (model: string) => ({ id: newId('msg'), type: 'message', role: 'assistant', model, usage });
