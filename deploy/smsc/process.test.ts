import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Fact } from './fact.ts';
import { factsOf, readLog } from './read_log.ts';
import { submitsByText, wholeTexts } from './submitted_text.ts';
import { Stage } from './testing/stage.ts';

const open: Stage[] = [];

afterEach(async () => {
  for (const stage of open.splice(0)) await stage.close();
});

async function stageOf(...options: Parameters<typeof Stage.open>): Promise<Stage> {
  const stage = await Stage.open(...options);
  open.push(stage);
  return stage;
}

describe('the process', () => {
  it('that is stopped says goodbye and writes its sums', async () => {
    const stage = await stageOf();
    const esme = await stage.bound();
    await esme.submit('one');
    await esme.deliveries(1);
    await expect.poll(async () => (await stage.carrier.counts()).receipts_acked).toBe(1);
    await stage.smsc.stop();
    await esme.closed.within(5_000);
    const facts: Fact[] = [];
    for await (const fact of readLog(stage.smsc.log_file)) facts.push(fact);
    expect(facts.slice(-2)).toMatchObject([
      { t: 'lost', why: 'stopped', bind: 'ann' },
      {
        t: 'stop',
        counts: {
          submits: 1,
          accepted: 1,
          distinct_ids: 1,
          refused: 0,
          answered: 1,
          receipts_sent: 1,
          receipts_acked: 1,
          receipts_lost: 0,
          mo_parts_sent: 0,
          mo_parts_acked: 0,
        },
      },
    ]);
  });

  it('that is killed has in its log whatever it answered, and gives no id a second time', async () => {
    const stage = await stageOf();
    const esme = await stage.bound();
    const before = await Promise.all(Array.from({ length: 50 }, (_, n) => esme.submit(`before ${n}`)));
    await stage.kill();
    await esme.closed.within(5_000);
    // As if the kill had come in the middle of a write.
    await appendFile(stage.smsc.log_file, '{"at":1,"t":"sub');
    await stage.startAgain();
    const { message_id } = await (await stage.bound()).submit('after');
    const submits = await stage.facts('submit');
    expect(submits.map(({ id }) => id)).toEqual([...before.map((response) => response.message_id), message_id]);
    expect(new Set(submits.map(({ id }) => id)).size).toBe(51);
    expect(await stage.facts('start')).toHaveLength(2);
  });

  it('that only counts tells the same sums, and writes no line for a text', async () => {
    const stage = await stageOf({ log: 'counts', behaviour: { receipts: { twice_per_mille: 1000 } } });
    const esme = await stage.bound();
    await Promise.all(Array.from({ length: 20 }, (_, n) => esme.submit(`counted ${n}`)));
    await esme.deliveries(40);
    const sums = { submits: 20, accepted: 20, distinct_ids: 20, answered: 20, receipts_sent: 40, receipts_acked: 40 };
    await expect.poll(() => stage.carrier.counts()).toMatchObject(sums);
    await stage.smsc.stop();
    expect(await stage.facts('submit')).toEqual([]);
    expect(await stage.facts('stop')).toMatchObject([{ counts: sums }]);
  });

  it('does not start with settings that make no sense, and says which', async () => {
    const started = stageOf({ accounts: [], name: 'wrong' });
    await expect(started).rejects.toThrow(/accounts/u);
  });

  it('takes the port of nobody', async () => {
    const stage = await stageOf();
    await expect(stageOf({ port: stage.smsc.port })).rejects.toThrow(/is taken/u);
  });
});

describe('the reader of the log', () => {
  async function read(content: string): Promise<Fact[]> {
    const folder = await mkdtemp(join(tmpdir(), 'facts-'));
    const facts: Fact[] = [];
    try {
      await writeFile(join(folder, 'log'), content);
      for await (const fact of readLog(join(folder, 'log'))) facts.push(fact);
    } finally {
      await rm(folder, { recursive: true });
    }
    return facts;
  }

  const LISTEN = '{"at":1,"t":"listen","on":true}\n';

  it('does not see a last line that is not complete', async () => {
    expect(await read(`${LISTEN}{"at":2,"t":"list`)).toEqual([{ at: 1, t: 'listen', on: true }]);
  });

  it.each([
    ['is no JSON', 'nonsense\n', /:2 is no JSON object/u],
    ['is no fact', '{"at":2,"t":"rumour"}\n', /:2 is no fact/u],
    ['lacks a key', '{"at":2,"t":"listen"}\n', /:2: "on" is no boolean/u],
    ['has a key of another type', '{"at":"2","t":"listen","on":true}\n', /:2: "at" is no number/u],
  ])('names the line that %s', async (_, line, message) => {
    await expect(read(LISTEN + line)).rejects.toThrow(message);
  });

  it('reads whatever an ESME may write into its addresses', async () => {
    const stage = await stageOf();
    const esme = await stage.bound();
    const source_addr = 'q"\\\t\u007fő'.slice(0, -1) + 'é';
    await esme.submit('odd', { source_addr });
    const [submit] = await factsOf(stage.smsc.log_file, 'submit');
    // The package writes seven bits of each character.
    expect(submit?.from.slice(0, 5)).toBe(source_addr.slice(0, 5));
    expect(await readFile(stage.smsc.log_file, 'utf8')).toContain(String.raw`"from":"q\"\\\t`);
  });

  it('puts texts together from their parts, and tells apart what came twice', async () => {
    const stage = await stageOf();
    const esme = await stage.bound();
    const part = (text: string, ref: number, number: number): object => ({
      short_message: { message: text, udh: Buffer.from([5, 0, 3, ref, 2, number]) },
    });
    await esme.submit('', part('Hello ', 7, 1));
    await esme.submit('whole');
    await esme.submit('', part('world', 7, 2));
    await esme.submit('', part('Hello ', 7, 1));
    const submits = await stage.facts('submit');
    expect(wholeTexts(submits).map(({ text, of, submits: parts }) => [text, parts.length, of])).toEqual([
      ['Hello world', 2, 2],
      ['whole', 1, 1],
      ['Hello ', 1, 2],
    ]);
    expect(submitsByText(submits).get('Hello ')).toHaveLength(2);
  });
});
