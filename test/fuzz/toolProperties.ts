import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Secret } from '../../src/core/secret.ts';
import { withBearer } from '../../src/http/bearer.ts';
import { displayNames, readIdentity } from '../../src/notion/identity.ts';
import { readToolAccess } from '../../src/notion/toolAccess.ts';
import { toolErrorOf, toolFailure } from '../../src/notion/toolErrors.ts';
import { anyText, anyValue, document, origin, secrets } from './inputs.ts';
import { attempt, type Property, property } from './property.ts';
import { scripted } from './responseProperties.ts';

const serverUrl = new URL(`${origin}/mcp`);
const accessToken = new Secret(secrets.accessToken);
const unsafeText = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\$\(|\]\(|[<>`]/u;
const dayMs = 24 * 60 * 60_000;

/** Usually a value of `arbitrary`, else any value. */
const mostly = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 7, arbitrary }, { weight: 1, arbitrary: anyValue });
const id = mostly(fc.constantFrom('id-1', 'id-2', 'x'.repeat(201)));
const user = fc.record({ id, name: anyValue, email: anyValue, person: mostly(fc.record({ email: anyValue })) });
const bot = fc.record({
  owner: mostly(fc.record({ user: mostly(user) })),
  workspace_id: id,
  workspace_name: anyValue,
});
const access = fc.dictionary(
  fc.oneof(anyText, fc.constantFrom('search', 'ai_search', 'notion-fetch', '__proto__')),
  mostly(
    fc.record({
      status: mostly(fc.constantFrom('available', 'plan_required', 'limited_free_trial')),
      upgrade_url: mostly(
        fc.constantFrom(
          'https://www.notion.com/plans',
          'https://x.example/$(bug)',
          'https://u:p@x.example/',
          'command:x',
        ),
      ),
      landing_page_url: mostly(fc.oneof(fc.webUrl(), fc.constant('https://bücher.example/?a=`b`#<c>'))),
      restricted_parameters: mostly(fc.dictionary(anyText, anyText)),
    }),
  ),
);
const self = fc.oneof(
  fc.record({
    user: mostly(user),
    workspace: mostly(fc.record({ id, name: anyValue })),
    current_tool_access: mostly(access),
  }),
  fc.record({ results: mostly(fc.array(fc.record({ id, bot: mostly(bot) }), { maxLength: 2 })) }),
);
const error = document({
  code: ['rate_limited', 'validation_error', 'toString', secrets.accessToken],
  message: ['Expected array, received string', 'Unknown tool: x', secrets.accessToken],
  retry_after_seconds: [1, 0.5, -1, 1e300],
  body: ['{"message":"x"}', '{'],
});
const content = fc.oneof(fc.record({ self }), self, fc.record({ error }), error);
const text = fc.oneof(
  content.map((value) => JSON.stringify(value)),
  anyText,
);
const result = fc.record(
  {
    content: mostly(fc.array(fc.record({ type: fc.constant('text'), text }), { minLength: 1, maxLength: 2 })),
    structuredContent: mostly(content),
    isError: fc.constantFrom(true, false, false),
  },
  { requiredKeys: ['isError'] },
);
/** Responses to a client’s calls, one after the other. */
const responses = fc.array(
  fc
    .oneof(
      { weight: 7, arbitrary: fc.record({ result: mostly(result) }) },
      {
        weight: 1,
        arbitrary: fc.record({ error: document({ code: [-32602, -32603, '1'], message: [secrets.accessToken] }) }),
      },
    )
    .map((message) => ({
      status: 200,
      headers: new Headers(),
      body: JSON.stringify({ id: 1, ...message }),
      url: serverUrl,
    })),
  { minLength: 1, maxLength: 4 },
);

/** The properties of what reads the results of Notion's tools. */
export const toolProperties: Property[] = [
  property(
    'an identity has ids and names that can be shown, or is a failure without secrets',
    [responses],
    async (inputs) => {
      const identity = await attempt(() => readIdentity(withBearer(scripted(inputs), accessToken), serverUrl));
      if (identity !== undefined) {
        for (const id of [identity.userId, identity.workspaceId]) {
          assert.ok(id !== '' && id.length <= 200);
        }
        const { user: name, workspace } = displayNames(identity);
        assert.notEqual(name, '');
        assert.doesNotMatch(name + workspace, unsafeText);
      }
    },
  ),
  property(
    'a tool’s error has a known code, and its failure a text that can be shown and no secrets',
    [fc.record({ text, isError: fc.boolean(), structured: content })],
    async (toolResult) => {
      const found = toolErrorOf(toolResult);
      assert.equal(found !== undefined, toolResult.isError);
      if (found !== undefined) {
        assert.match(found.code, /^[a-zA-Z_]+$/);
        const failure = toolFailure(found, 'host', [accessToken]);
        assert.doesNotMatch(failure.details.serverReason ?? '', unsafeText);
        assert.ok((failure.details.retryAfterMs ?? 0) <= dayMs);
        await attempt(() => {
          throw failure;
        });
      }
    },
  ),
  property('tool access has links that can be shown, or is a failure without secrets', [responses], async (inputs) => {
    const found = await attempt(() => readToolAccess(withBearer(scripted(inputs), accessToken), serverUrl));
    for (const { status, link, restrictedParameters } of found?.values() ?? []) {
      assert.equal(typeof status, 'string');
      assert.ok(restrictedParameters.every((name) => typeof name === 'string'));
      if (link !== undefined) {
        const url = new URL(link);
        assert.deepEqual([url.protocol, url.username, url.password], ['https:', '', '']);
        assert.doesNotMatch(link, unsafeText);
      }
    }
  }),
];
