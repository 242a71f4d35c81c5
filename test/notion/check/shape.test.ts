import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences, Including, ListOf, MapOf, Matching, OneOf, Only, Optional, shapeOf } from './shape.ts';

test('a value that has the expected shape does not differ, also with further members', () => {
  const expected = {
    id: 'string',
    size: 'number',
    kind: new OneOf('page', 'database'),
    token: new Matching(/^a:/, 'a prefix'),
    scopes: new Including('default'),
    results: new ListOf({ name: 'string' }),
    access: new MapOf({ status: 'string' }),
    email: new Optional('string'),
  } as const;
  const actual = {
    ...{ id: 'x', size: 1, kind: 'page', token: 'a:b', scopes: ['more', 'default'], results: [{ name: 'x' }] },
    ...{ access: { fetch: { status: 'available' } }, other: true },
  };
  assert.deepEqual(differences(expected, actual), []);
  assert.deepEqual(differences(new Only({ id: 'string' }), { id: 'x', other: true }), ['also other']);
});

test('differences name members and types, and never a value', () => {
  const expected = {
    missing: 'string',
    type: 'string',
    kind: new OneOf('page'),
    token: new Matching(/^a:/, 'a prefix'),
    scopes: new Including('default'),
    results: new ListOf({ name: 'string' }),
    access: new MapOf({ status: 'string' }),
  } as const;
  const actual = {
    ...{ type: null, kind: 'secret', token: 'secret', scopes: ['secret'], results: [{ name: 1 }] },
    access: { 'ada@example.com': { status: 2 } },
  };
  assert.deepEqual(differences(expected, actual), [
    'no missing',
    'type: null instead of string',
    'kind: another string',
    'token: string without a prefix',
    'scopes: no default',
    'results[].name: number instead of string',
    'access.<name>.status: number instead of string',
  ]);
  assert.deepEqual(differences({ id: 'string' }, 'secret'), ['string instead of object']);
});

test('the description of a value has its types and the names of its members, unless they may be personal', () => {
  const value = { id: 'secret', list: [{ on: true }], none: null, empty: [], 'Ada Lovelace': 1, '1f0c6a52': 2 };
  assert.equal(shapeOf(value), '{id: string, list: [{on: boolean}], none: null, empty: [], <name>: number}');
  assert.equal(shapeOf({ a: { b: { c: { d: { e: 1 } } } } }), '{a: {b: {c: {d: {…}}}}}');
});
