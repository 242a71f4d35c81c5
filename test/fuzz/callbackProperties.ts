import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Log } from '../../src/core/log.ts';
import { Secret } from '../../src/core/secret.ts';
import { callbackParameters, maxQueryLength } from '../../src/signIn/callbackQuery.ts';
import { readPasted } from '../../src/signIn/paste.ts';
import { PendingSignIns } from '../../src/signIn/pending.ts';
import { anyText, origin, secrets } from './inputs.ts';
import { type Property, property, server } from './property.ts';

/** Queries that are nearly those of a callback: with our state or another, doubled, encoded too often, or very long. */
const piece = fc.oneof(
  anyText,
  fc.constantFrom('&', '=', '?', '#', '+', '%', '%25', '%FF', '%26', '%3D', ' ', '\n', '"'),
  fc.constantFrom('state=', 'code=', 'iss=', 'error=', 'st%61te=', 'code%3D', '&state=', '&code='),
  fc.constantFrom(...[0, 1, 2, 3].map((times) => `&state=${encode(secrets.state, times)}&`)),
  fc.constantFrom(`&code=${encode(secrets.code, 1)}&`, `&iss=${encode(origin, 1)}&`, '&iss=https://evil.example&'),
  fc
    .tuple(fc.constantFrom('&', '%&', 'state=&', 'a=b&', 'x', '%', '+', 'é'), fc.integer({ min: 1, max: 9_000 }))
    .map(([text, count]) => text.repeat(count)),
);
const query = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

const quiet = new Log({ error: ignore, warn: ignore, info: ignore, debug: ignore });

/** The properties of what receives the browser's response. */
export const callbackProperties: Property[] = [
  property(
    'a callback’s query is read only if it is short and has our state, and costs a bounded effort',
    [query],
    (text) => {
      let states = 0;
      const parameters = callbackParameters(text, (state) => {
        states += 1;
        return state === secrets.state;
      });
      assert.ok(states <= 96);
      if (parameters !== undefined) {
        assert.ok(text.length <= maxQueryLength);
        assert.ok(parameters.getAll('state').includes(secrets.state));
      }
    },
  ),
  property(
    'a sign-in ends by a callback only if that has its state once, and the expected issuer if it has one',
    [query],
    async (text) => {
      const pending = new PendingSignIns(quiet);
      const state = new Secret(secrets.state);
      const verifier = new Secret(secrets.verifier);
      const authorization = { url: `${origin}/authorize`, state, verifier, clientId: 'c', authorizationServer: server };
      const waiting = pending.wait(authorization, 'uriHandler');
      const result = await pending.receive(text);
      const hasEnded = result === 'accepted' || result === 'declined';
      assert.equal(pending.isWaiting, !hasEnded);
      if (hasEnded) {
        const parameters = callbackParameters(text, (candidate) => candidate === secrets.state);
        assert.deepEqual(parameters?.getAll('state'), [secrets.state]);
        assert.ok((parameters.get('iss') ?? origin) === origin);
      }
      if (result === 'accepted') {
        assert.notEqual((await waiting.code).reveal(), '');
      }
    },
  ),
  property('a pasted text is read as a callback only if it is short and has a state', [query], (text) => {
    const read = readPasted(text);
    assert.ok(read === undefined || (text.length <= maxQueryLength && /(^|&)state(=|&|$)/.test(read)));
  }),
];

function encode(text: string, times: number): string {
  return times === 0 ? text : encode(encodeURIComponent(text), times - 1);
}

function ignore(): void {}
