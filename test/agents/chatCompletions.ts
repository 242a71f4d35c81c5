import { type ModelDialect, newId, textOf, wantsEvents } from './modelDialect.ts';

interface Body {
  tools?: { function: { name: string } }[];
  messages: { role: string; content: unknown }[];
}

/** OpenAI's older protocol, which Copilot uses. */
export const chatCompletions: ModelDialect = {
  path: /\/chat\/completions$/,
  wantsEvents,
  offeredTools: (body) => ((body as Body).tools ?? []).map((tool) => ({ name: tool.function.name })),
  toolResults: (body) => {
    const { messages } = body as Body;
    const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1);
    return turn.filter(({ role }) => role === 'tool').map(({ content }) => textOf(content));
  },
  events: (move, model) => {
    const chunk = (choices: object[], more = {}) => ({
      data: { id: newId('chat'), object: 'chat.completion.chunk', created: 1, model, choices, ...more },
    });
    const [delta, reason] =
      'text' in move
        ? [{ role: 'assistant', content: move.text }, 'stop']
        : [{ role: 'assistant', content: null, tool_calls: move.calls.map(toolCall(move.input)) }, 'tool_calls'];
    return [
      chunk([{ index: 0, delta, finish_reason: null }]),
      chunk([{ index: 0, delta: {}, finish_reason: reason }]),
      chunk([], { usage }),
      { data: '[DONE]' },
    ];
  },
  whole: (text, model) => ({
    id: newId('chat'),
    object: 'chat.completion',
    model,
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: text } }],
    usage,
  }),
};

const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

const toolCall =
  (input: object) =>
  ({ name }: { name: string }, index: number) => ({
    index,
    id: newId('call'),
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  });
