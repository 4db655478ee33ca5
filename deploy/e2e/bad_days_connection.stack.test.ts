import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer } from '../sip/carrier_script.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import type { World } from '../world/world.ts';
import { Talkers } from './bad_days/talkers.ts';
import { BreakableLink } from './switch_stack/breakable.ts';

let world: World;
let end: () => Promise<void>;
let link: BreakableLink;
let talkers: Talkers;

/** A controller that gives the switch its commands over a connection that can be torn. */
beforeAll(async () => {
  ({ world, end } = await testWorld({}));
  link = await BreakableLink.open(world.sip.address, 5038);
  await world.stopControllers();
  await world.startController({
    settings: { ASTERISK_AMI_HOST: world.sip.address, ASTERISK_AMI_PORT: String(link.port), GRANT_SECONDS: '20' },
  });
  talkers = new Talkers(world);
  world.carrier('alpha').play(answer());
}, 120_000);

afterAll(async () => {
  await end();
  await link.close();
});

describe('a connection to the switch that is lost', () => {
  it('while a call talks: the call goes on, ends as ever and is charged once, and so is the next one', async () => {
    const one = await talkers.talker(1_000_000n);
    link.tear();
    await talk(one.call, 2_000);
    expect(one.call.isLive).toBe(true);
    await one.call.bye();
    await talkers.expectTalked(one);
    const next = await talkers.talker(1_000_000n);
    await next.call.bye();
    await talkers.expectTalked(next);
    await talkers.nothingIsLeft();
  }, 60_000);

  it('with the answer to the command that sent a call out: the call is not taken for one that failed, and is charged once', async () => {
    link.tearAfter('Action: Redirect');
    const one = await talkers.talker(1_000_000n);
    await talk(one.call, 3_000);
    expect(one.call.isLive).toBe(true);
    await one.call.bye();
    await talkers.expectTalked(one);
    await talkers.nothingIsLeft();
  }, 60_000);
});
