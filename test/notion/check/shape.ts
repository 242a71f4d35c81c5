import { isObject } from '../../../src/core/json.ts';

/** What a value has to be: a type, one of some values, a list, or an object with at least these members. */
export type Expected =
  | 'string'
  | 'number'
  | 'boolean'
  | OneOf
  | Matching
  | Including
  | MapOf
  | Optional
  | Only
  | ListOf
  | { readonly [member: string]: Expected };

/** One of these values. */
export class OneOf {
  readonly values: readonly unknown[];
  constructor(...values: readonly unknown[]) {
    this.values = values;
  }
}

/** A text of some form. */
export class Matching {
  readonly pattern: RegExp;
  readonly description: string;
  constructor(pattern: RegExp, description: string) {
    this.pattern = pattern;
    this.description = description;
  }
}

/** A list with at least these values. */
export class Including {
  readonly values: readonly unknown[];
  constructor(...values: readonly unknown[]) {
    this.values = values;
  }
}

/** A list whose elements all have one shape. */
export class ListOf {
  readonly element: Expected;
  constructor(element: Expected) {
    this.element = element;
  }
}

/** An object with any members, all of one shape. */
export class MapOf {
  readonly value: Expected;
  constructor(value: Expected) {
    this.value = value;
  }
}

/** A member that may be absent. */
export class Optional {
  readonly value: Expected;
  constructor(value: Expected) {
    this.value = value;
  }
}

/** An object with no other members. */
export class Only {
  readonly members: { readonly [member: string]: Expected };
  constructor(members: { readonly [member: string]: Expected }) {
    this.members = members;
  }
}

/**
 * Where `actual` differs from `expected`: paths of members and names of types, but no value of `actual`. Empty if it
 * does not differ.
 */
export function differences(expected: Expected, actual: unknown, path = ''): string[] {
  const at = path === '' ? '' : `${path}: `;
  if (typeof expected === 'string') {
    return typeOf(actual) === expected ? [] : [`${at}${typeOf(actual)} instead of ${expected}`];
  }
  if (expected instanceof OneOf) {
    return expected.values.some((value) => isEqual(value, actual)) ? [] : [`${at}another ${typeOf(actual)}`];
  }
  if (expected instanceof Matching) {
    const isMatch = typeof actual === 'string' && expected.pattern.test(actual);
    return isMatch ? [] : [`${at}${typeOf(actual)} without ${expected.description}`];
  }
  if (expected instanceof Including) {
    return Array.isArray(actual)
      ? expected.values.filter((value) => !actual.includes(value)).map((value) => `${at}no ${value}`)
      : [`${at}${typeOf(actual)} instead of list`];
  }
  if (expected instanceof Optional) {
    return actual === undefined ? [] : differences(expected.value, actual, path);
  }
  if (expected instanceof Only) {
    return [...differences(expected.members, actual, path), ...otherMembers(expected.members, actual, at)];
  }
  if (expected instanceof ListOf) {
    return Array.isArray(actual)
      ? actual.flatMap((element) => differences(expected.element, element, `${path}[]`))
      : [`${at}${typeOf(actual)} instead of list`];
  }
  if (!isObject(actual)) {
    return [`${at}${typeOf(actual)} instead of object`];
  }
  if (expected instanceof MapOf) {
    return Object.entries(actual).flatMap(([name, value]) =>
      differences(expected.value, value, member(path, shownName(name))),
    );
  }
  return Object.entries(expected).flatMap(([name, value]) =>
    actual[name] === undefined && !(value instanceof Optional)
      ? [`no ${member(path, name)}`]
      : differences(value, actual[name], member(path, name)),
  );
}

/** Describes a value by its types and the names of its members. */
export function shapeOf(value: unknown, depth = 4): string {
  if (Array.isArray(value)) {
    return value.length === 0 ? '[]' : `[${shapeOf(value[0], depth - 1)}]`;
  }
  if (!isObject(value)) {
    return typeOf(value);
  }
  const members = Object.entries(value).map(([name, each]) => `${shownName(name)}: ${shapeOf(each, depth - 1)}`);
  return depth === 0 ? '{…}' : `{${[...new Set(members)].join(', ')}}`;
}

function otherMembers(expected: object, actual: unknown, at: string): string[] {
  return isObject(actual)
    ? Object.keys(actual).flatMap((name) => (Object.hasOwn(expected, name) ? [] : [`${at}also ${shownName(name)}`]))
    : [];
}

/** The name of a member, unless it may be an id, a name or an address. */
function shownName(name: string): string {
  return /^[a-z][a-zA-Z_]{0,39}$/.test(name) ? name : '<name>';
}

function member(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) {
    return 'list';
  }
  return value === null ? 'null' : typeof value;
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
