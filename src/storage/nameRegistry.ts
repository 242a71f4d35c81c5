import { fromBase64 } from '../core/encoding.ts';
import { isObject, jsonObject } from '../core/json.ts';
import type { Randomness } from '../core/random.ts';
import { codedLabel, labelCandidates, type ServerNames, serverNames, toolIdPrefixes } from '../grants/names.ts';
import type { Identity } from '../notion/identity.ts';
import type { JournalKey } from './encryption.ts';
import { type RegistryKey, registryKey } from './registryKey.ts';

/** The account to be named. */
export interface NameRequest {
  identity: Identity;
  /** The key of the identity; see `identityKey`. */
  accountId: string;
  /** The code of the identity; see `codeOf`. */
  code: string;
  /** The label that the account has already, and keeps. */
  label?: string;
  /** The names of all other accounts. */
  others: readonly { label: string; serverNames?: ServerNames }[];
}

/** The names that belong to an identity for ever. */
export interface AssignedNames {
  label: string;
  serverNames: ServerNames;
}

/** What was given under one key of the journal. All names and identities are hashes under that key. */
interface Section {
  /** The identity that each name belongs to. */
  names: Record<string, string>;
  /** The number in the names of each identity's MCP server. */
  numbers: Record<string, number>;
  /** The encrypted names of each identity's MCP server, for a workspace that has another name by now. */
  servers?: Record<string, string>;
}

interface ReadableSection {
  section: Section;
  key: RegistryKey;
}

/** Without a journal there is no key, but the registry is a secret itself. */
const keyWithoutJournal = { id: 'none', bytes: new TextEncoder().encode('names') };
/** Stands for sections that were lost with a damaged file. */
const lostSection = 'lost';
const maxNumber = 999;

/** The registry as stored; `undefined` if there is none, `lost` if there was one. */
export type StoredRegistry = string | 'lost' | undefined;

/** Where the registry is stored: in the journal's directory, or without a disk in the secret store. */
export interface NamesPlace {
  readNames(): Promise<StoredRegistry>;
  writeNames(registry: string): Promise<void>;
}

/**
 * Names an account. The registry remembers across sign-outs which identity each label and handle was given to: the
 * user's consent and the approvals of tools hang on names, so none is ever given to another identity. An identity gets
 * the names of its MCP server again even if its workspace has a new name, because agents keep the handle in their
 * configuration. The registry holds no name in clear. To be used under the installation's lock. See schema.md.
 * @param keys the keys of the journal, of which the first by id is for new names; none without a journal
 * @throws the storage's error
 */
export async function assignNames(
  place: NamesPlace,
  { identity, accountId, code, label: keptLabel, others }: NameRequest,
  { keys, randomness }: { keys: readonly JournalKey[]; randomness: Randomness },
): Promise<AssignedNames> {
  const sections = sectionsOf(await place.readNames());
  const readable = await readableSections(sections, keys, randomness);
  // What was given under a lost key cannot be known, so each new name carries the code of its identity.
  const isComplete = Object.keys(sections).length === readable.length;
  const isTaken = (name: string) => isTakenIn(readable, name, accountId);
  const isLabelFree = async (label: string): Promise<boolean> =>
    !others.some((other) => other.label === label) && !(await isTaken(labelKey(label)));
  const candidates = isComplete ? labelCandidates(identity, code) : [];
  const label = keptLabel ?? (await firstOf(candidates, isLabelFree)) ?? codedLabel(identity, code);
  const otherPrefixes = new Set(
    others.flatMap((other) => (other.serverNames ? toolIdPrefixes(other.serverNames) : [])),
  );
  const isFree = async (names: ServerNames): Promise<boolean> => {
    for (const prefix of toolIdPrefixes(names)) {
      if (otherPrefixes.has(prefix) || (await isTaken(toolKey(prefix)))) {
        return false;
      }
    }
    return true;
  };
  let number = (await numberIn(readable, accountId)) ?? 1;
  let names = (await namesIn(readable, accountId)) ?? serverNames(identity, number, isComplete ? undefined : code);
  while (number < maxNumber && !(await isFree(names))) {
    number += 1;
    names = serverNames(identity, number, isComplete ? undefined : code);
  }
  await claim(readable[0], accountId, { label, serverNames: names }, number);
  await place.writeNames(`${JSON.stringify({ version: 1, sections })}\n`);
  return { label, serverNames: names };
}

function sectionsOf(stored: StoredRegistry): Record<string, Section> {
  if (stored === undefined) {
    return {};
  }
  const { sections } = jsonObject(stored) ?? {};
  return isSections(sections) ? sections : { [lostSection]: { names: {}, numbers: {} } };
}

/** The sections whose key this window has, first of all the one for new names, which is added if it is missing. */
async function readableSections(
  sections: Record<string, Section>,
  keys: readonly JournalKey[],
  randomness: Randomness,
): Promise<ReadableSection[]> {
  const all = keys.map(({ id, key }) => ({ id, bytes: fromBase64(key.reveal()) }));
  const sorted = all.length === 0 ? [keyWithoutJournal] : all.sort((a, b) => (a.id < b.id ? -1 : 1));
  const readable: ReadableSection[] = [];
  for (const [index, { id, bytes }] of sorted.entries()) {
    if (index === 0) {
      sections[id] ??= { names: {}, numbers: {} };
    }
    const section = sections[id];
    if (section !== undefined) {
      readable.push({ section, key: await registryKey(bytes, randomness) });
    }
  }
  return readable;
}

async function claim(
  readable: ReadableSection | undefined,
  accountId: string,
  { label, serverNames: names }: AssignedNames,
  number: number,
): Promise<void> {
  if (readable !== undefined) {
    const { section, key } = readable;
    const owner = await key.hash(accountId);
    for (const name of [labelKey(label), ...toolIdPrefixes(names).map(toolKey)]) {
      section.names[await key.hash(name)] = owner;
    }
    section.numbers[owner] = number;
    section.servers = { ...section.servers, [owner]: await key.encrypt(JSON.stringify(names), owner) };
  }
}

async function isTakenIn(all: readonly ReadableSection[], name: string, accountId: string): Promise<boolean> {
  for (const { section, key } of all) {
    const owner = section.names[await key.hash(name)];
    if (owner !== undefined && owner !== (await key.hash(accountId))) {
      return true;
    }
  }
  return false;
}

async function numberIn(all: readonly ReadableSection[], accountId: string): Promise<number | undefined> {
  for (const { section, key } of all) {
    const number = section.numbers[await key.hash(accountId)];
    if (number !== undefined) {
      return number;
    }
  }
  return undefined;
}

async function namesIn(all: readonly ReadableSection[], accountId: string): Promise<ServerNames | undefined> {
  for (const { section, key } of all) {
    const owner = await key.hash(accountId);
    const encrypted = section.servers?.[owner];
    const names = encrypted === undefined ? undefined : await key.decrypt(encrypted, owner);
    const { handle, title } = jsonObject(names ?? '') ?? {};
    if (typeof handle === 'string' && typeof title === 'string') {
      return { handle, title };
    }
  }
  return undefined;
}

async function firstOf<T>(all: readonly T[], matches: (one: T) => Promise<boolean>): Promise<T | undefined> {
  for (const one of all) {
    if (await matches(one)) {
      return one;
    }
  }
  return undefined;
}

function labelKey(label: string): string {
  return `label ${label}`;
}

function toolKey(prefix: string): string {
  return `tool ${prefix}`;
}

function isSections(value: unknown): value is Record<string, Section> {
  return (
    isObject(value) &&
    Object.values(value).every(
      (each) =>
        isObject(each) &&
        isObject(each.names) &&
        isObject(each.numbers) &&
        (each.servers === undefined || isObject(each.servers)),
    )
  );
}
