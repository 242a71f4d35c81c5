import type { ModelDialect } from './modelDialect.ts';

interface Part {
  functionResponse?: { response?: unknown };
}

interface Body {
  tools?: { functionDeclarations?: { name: string }[] }[];
  contents: { role?: string; parts?: Part[] }[];
}

/** Google's protocol, which Gemini CLI uses. Its path tells whether it wants events, and which model. */
export const geminiContents: ModelDialect = {
  path: /:(streamG|g)enerateContent$/,
  wantsEvents: (path) => path.endsWith(':streamGenerateContent'),
  offeredTools: (body) =>
    ((body as Body).tools ?? []).flatMap(({ functionDeclarations = [] }) =>
      functionDeclarations.map(({ name }) => ({ name })),
    ),
  toolResults: (body) => {
    const parts = (body as Body).contents.at(-1)?.parts ?? [];
    return parts.flatMap(({ functionResponse }) =>
      functionResponse === undefined ? [] : [JSON.stringify(functionResponse.response)],
    );
  },
  events: (move) => {
    const parts =
      'text' in move
        ? [{ text: move.text }]
        : move.calls.map(({ name }) => ({ functionCall: { name, args: move.input } }));
    return [{ data: response(parts) }];
  },
  whole: (text) => response([{ text }]),
};

const response = (parts: object[]) => ({
  candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
});
