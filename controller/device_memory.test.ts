import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { DeviceMemory } from './device_memory.ts';
import { FakeMachine, FakeSwitch } from './switch/fake/fake_switch.ts';

async function connected() {
  const problems: string[] = [];
  const machine = new FakeMachine({ behaviour: () => ({ kind: 'silent' }) });
  const media = new FakeSwitch(machine);
  await media.connect(null);
  const trunks = ['trunk-help'];
  const database = { is_there: true };
  const memory = new DeviceMemory({
    media,
    trunksForHelp: () => trunks,
    databaseIsThere: () => database.is_there,
    log: pino({ level: 'warn' }, { write: (line: string) => void problems.push(line) }),
  });
  return { machine, media, memory, trunks, database, problems };
}

describe('what the switch remembers', () => {
  it('is forgotten for the device that changed, and the trunks for help are known again', async () => {
    const { machine, memory } = await connected();
    memory.forget('trunk-help');
    await expect.poll(() => machine.known_trunks).toEqual(['trunk-help']);
    expect(machine.forgotten).toEqual(['trunk-help']);
  });

  it('has a new route for help in it soon', async () => {
    const { machine, memory, trunks } = await connected();
    trunks.push('trunk-new');
    await memory.lookAgain();
    expect(machine.known_trunks).toEqual(['trunk-help', 'trunk-new']);
    expect(machine.forgotten).toEqual([]);
  });

  it('is forgotten as a whole as soon as possible where a change could not be told', async () => {
    const { machine, media, memory, problems } = await connected();
    const forgetDevice = media.forgetDevice.bind(media);
    media.forgetDevice = () => Promise.reject(new Error('AMI did not answer in time'));
    memory.forget('one');
    await expect.poll(() => problems).toHaveLength(1);
    await expect(memory.lookAgain()).rejects.toThrow('in time');
    media.forgetDevice = forgetDevice;
    await memory.lookAgain();
    await memory.lookAgain();
    expect(machine.forgotten).toEqual([null]);
  });

  it('is kept while the database is away, and forgotten once it is back', async () => {
    const { machine, memory, database } = await connected();
    database.is_there = false;
    // The connection to the switch broke and came back meanwhile.
    memory.forget(null);
    await memory.lookAgain();
    expect(machine.forgotten).toEqual([]);
    expect(machine.known_trunks).toEqual(['trunk-help']);
    database.is_there = true;
    await memory.lookAgain();
    await memory.lookAgain();
    expect(machine.forgotten).toEqual([null]);
  });

  it('is left to the next connection while the switch is away', async () => {
    const { machine, memory, problems } = await connected();
    machine.cut('the line');
    memory.forget('one');
    await memory.lookAgain();
    expect(machine.forgotten).toEqual([]);
    expect(problems).toEqual([]);
  });
});
