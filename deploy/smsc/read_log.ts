import { createReadStream } from 'node:fs';
import type { Fact } from './fact.ts';

type Kind = 'number' | 'string' | 'boolean' | 'string or null' | 'object' | 'object or null';
type Shape = Readonly<Record<string, Kind>>;

const operation: Shape = { conn: 'number', bind: 'string', id: 'string', status: 'number' };

/** What must stand in a line besides `at` and `t`; what may be left out is not checked. */
const SHAPES: Readonly<Record<Fact['t'], Shape>> = {
  start: { port: 'number' },
  stop: { counts: 'object' },
  behaviour: { behaviour: 'object' },
  listen: { on: 'boolean' },
  connect: { conn: 'number', peer: 'string' },
  bind: { conn: 'number', bind: 'string', role: 'string', status: 'number' },
  lost: { conn: 'number', bind: 'string or null', why: 'string', unacknowledged: 'number' },
  nonsense: { conn: 'number', bind: 'string or null', status: 'number', why: 'string' },
  submit: {
    seq: 'number',
    conn: 'number',
    bind: 'string',
    from: 'string',
    from_ton: 'number',
    to: 'string',
    to_ton: 'number',
    dc: 'number',
    esm: 'number',
    hex: 'string',
    ref: 'object or null',
    rd: 'number',
    id: 'string or null',
    status: 'number',
  },
  answered: { seq: 'number', conn: 'number', id: 'string or null', status: 'number' },
  receipt: {
    id: 'string',
    as: 'string',
    stat: 'string',
    err: 'string',
    copy: 'number',
    try: 'number',
    conn: 'number',
  },
  receipt_ack: { id: 'string', stat: 'string', copy: 'number', try: 'number', conn: 'number', status: 'number' },
  receipt_lost: { id: 'string', stat: 'string' },
  mo: {
    mo: 'number',
    part: 'number',
    of: 'number',
    from: 'string',
    to: 'string',
    dc: 'number',
    esm: 'number',
    hex: 'string',
    try: 'number',
    conn: 'number',
  },
  mo_ack: { mo: 'number', part: 'number', try: 'number', conn: 'number', status: 'number' },
  query: operation,
  cancel: operation,
  replace: operation,
};

/** The shapes as lists, as they are gone through for each line. */
const CHECKS: ReadonlyMap<string, readonly (readonly [key: string, kind: Kind])[]> = new Map(
  Object.entries(SHAPES).map(([t, shape]) => [t, Object.entries({ at: 'number', ...shape } as Shape)]),
);

/**
 * The facts of a log in the order of their writing. A last line that is not complete is not there yet.
 * @throws Error naming the line that is no fact.
 */
export async function* readLog(file: string): AsyncGenerator<Fact> {
  let rest = '';
  let number = 0;
  for await (const chunk of createReadStream(file, { encoding: 'utf8' }) as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      number += 1;
      yield factOf(line, `${file}:${number}`);
    }
  }
}

/** All facts of one kind. */
export async function factsOf<T extends Fact['t']>(file: string, t: T): Promise<Extract<Fact, { t: T }>[]> {
  const found: Extract<Fact, { t: T }>[] = [];
  for await (const fact of readLog(file)) if (fact.t === t) found.push(fact as Extract<Fact, { t: T }>);
  return found;
}

function factOf(line: string, where: string): Fact {
  const value = jsonOf(line, where);
  const checks = typeof value['t'] === 'string' ? CHECKS.get(value['t']) : undefined;
  if (checks === undefined) throw new Error(`${where} is no fact of a simulated carrier: ${line.slice(0, 200)}`);
  for (const [key, kind] of checks) {
    if (!isOf(value[key], kind)) throw new Error(`${where}: "${key}" is no ${kind}: ${line.slice(0, 200)}`);
  }
  return value as unknown as Fact;
}

function jsonOf(line: string, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Error(`${where} is no JSON object: ${line.slice(0, 200)}`);
}

function isOf(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'string or null':
      return value === null || typeof value === 'string';
    case 'object or null':
      return typeof value === 'object';
    case 'object':
      return typeof value === 'object' && value !== null;
    case 'number':
    case 'string':
    case 'boolean':
      return typeof value === kind;
  }
}
