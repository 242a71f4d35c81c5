import { createScanner, findNodeAtLocation, type Node, type ParseError, parse, parseTree } from 'jsonc-parser';
import { isObject } from '../../core/json.ts';
import { ConfigurationProblem } from './problem.ts';
import { lineEndOf, type Splice, splice, verified, withoutMark, withoutServer, withServer } from './text.ts';

/** The servers of a JSON configuration. @throws ConfigurationProblem `invalid`, `unreadable` */
export function jsonServers(text: string, serversKey: string): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(configurationIn(text, serversKey)[serversKey] ?? {}));
}

/** Adds or replaces a server of a JSON configuration. @throws ConfigurationProblem `invalid`, `unreadable` */
export function setJsonServer(text: string, serversKey: string, name: string, entry: object): string {
  const { mark, content } = withoutMark(text);
  const expected = withServer(configurationIn(text, serversKey), serversKey, name, entry);
  const style = styleOf(content);
  const root = content.trim() === '' ? undefined : parseTree(content, [], options);
  const servers = root && findNodeAtLocation(root, [serversKey]);
  const old = root && findNodeAtLocation(root, [serversKey, name]);
  let after: string;
  if (root === undefined) {
    after = formatted({ [serversKey]: { [name]: entry } }, '', style) + style.lineEnd;
  } else if (old !== undefined) {
    const value = formatted(entry, indentationAt(content, old.offset), style);
    after = splice(content, [{ start: old.offset, end: old.offset + old.length, text: value }]);
  } else {
    const [object, key, value] = servers ? [servers, name, entry] : [root, serversKey, { [name]: entry }];
    after = splice(content, insertion(content, object, key, value, style));
  }
  return verified(mark + after, (each) => configurationIn(each, serversKey), expected);
}

/** Removes a server of a JSON configuration. @throws ConfigurationProblem `invalid`, `unreadable` */
export function removeJsonServer(text: string, serversKey: string, name: string): string {
  const { mark, content } = withoutMark(text);
  const expected = withoutServer(configurationIn(text, serversKey), serversKey, name);
  const root = content.trim() === '' ? undefined : parseTree(content, [], options);
  const property = root && findNodeAtLocation(root, [serversKey, name])?.parent;
  const after = property?.parent === undefined ? content : splice(content, removal(content, property.parent, property));
  return verified(mark + after, (each) => configurationIn(each, serversKey), expected);
}

/** Some agents read and write trailing commas; one that does not has none. */
const options = { allowTrailingComma: true };

function configurationIn(text: string, serversKey: string): Record<string, unknown> {
  const { content } = withoutMark(text);
  const errors: ParseError[] = [];
  const configuration: unknown = content.trim() === '' ? {} : parse(content, errors, options);
  if (errors.length > 0 || !isObject(configuration)) {
    throw new ConfigurationProblem('invalid');
  }
  if (!hasServers(configuration[serversKey])) {
    throw new ConfigurationProblem('unreadable');
  }
  return configuration;
}

function hasServers(servers: unknown): boolean {
  return servers === undefined || isObject(servers);
}

/** How a configuration is laid out. */
interface Style {
  lineEnd: string;
  /** One level of indentation. */
  unit: string;
}

function styleOf(content: string): Style {
  return { lineEnd: lineEndOf(content), unit: /\n([ \t]+)["/]/.exec(content)?.[1] ?? '  ' };
}

function formatted(value: object, indentation: string, { lineEnd, unit }: Style): string {
  return JSON.stringify(value, null, unit).replaceAll('\n', lineEnd + indentation);
}

/** Adds a property after the others and after their comments. */
function insertion(content: string, object: Node, key: string, value: object, style: Style): Splice[] {
  const properties = object.children ?? [];
  const [first] = properties;
  const last = properties.at(-1);
  const end = object.offset + object.length - 1;
  const at = endOfContent(content, end);
  const comma =
    last && commaAfter(content, last.offset + last.length) === undefined ? ([',', last] as const) : undefined;
  const commas = comma
    ? [{ start: comma[1].offset + comma[1].length, end: comma[1].offset + comma[1].length, text: ',' }]
    : [];
  const isOnOneLine = last !== undefined && !content.slice(object.offset, end).includes('\n');
  if (isOnOneLine) {
    return [...commas, { start: at, end: at, text: ` ${JSON.stringify(key)}: ${JSON.stringify(value)}` }];
  }
  const outer = indentationAt(content, object.offset);
  const inner =
    first !== undefined && startsLine(content, first.offset)
      ? indentationAt(content, first.offset)
      : outer + style.unit;
  const property = `${style.lineEnd}${inner}${JSON.stringify(key)}: ${formatted(value, inner, style)}`;
  const hasOwnLine = content.slice(at, end).includes('\n');
  return [...commas, { start: at, end: at, text: hasOwnLine ? property : property + style.lineEnd + outer }];
}

/** Removes a property with the space before it, and one of its commas. */
function removal(content: string, object: Node, property: Node): Splice[] {
  const properties = object.children ?? [];
  const index = properties.indexOf(property);
  const previous = properties[index - 1];
  const propertyEnd = property.offset + property.length;
  const ownComma = commaAfter(content, propertyEnd);
  const cut = {
    start: endOfContent(content, property.offset),
    end: ownComma === undefined ? propertyEnd : ownComma + 1,
    text: '',
  };
  if (properties.length === 1) {
    const [start, end] = [object.offset + 1, object.offset + object.length - 1];
    const isEmpty = content.slice(start, cut.start).trim() === '' && content.slice(cut.end, end).trim() === '';
    return [isEmpty ? { start, end, text: '' } : cut];
  }
  const comma = ownComma === undefined && previous ? commaAfter(content, previous.offset + previous.length) : undefined;
  return comma === undefined
    ? [cut]
    : [
        { start: comma, end: comma + 1, text: '' },
        { ...cut, start: Math.max(cut.start, comma + 1) },
      ];
}

/** The offset of the comma that follows, if nothing but comments lie before it. */
function commaAfter(content: string, offset: number): number | undefined {
  const scanner = createScanner(content, true);
  scanner.setPosition(offset);
  scanner.scan();
  const at = scanner.getTokenOffset();
  return content[at] === ',' ? at : undefined;
}

/** Where the content before an offset ends, without the white space behind it. */
function endOfContent(content: string, offset: number): number {
  return content.slice(0, offset).trimEnd().length;
}

function startsLine(content: string, offset: number): boolean {
  return /(^|\n)[ \t]*$/.test(content.slice(0, offset));
}

/** The white space at the beginning of a line. */
function indentationAt(content: string, offset: number): string {
  const line = content.slice(content.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}
